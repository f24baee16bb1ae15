import { isAbsolute, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Config } from '../config/config.js'
import { ErrandError } from '../src/errors.js'
import { isReservedName } from '../src/core/reserved-name.js'
import { registry } from '../src/core/registry.js'
import { adoptExports } from '../src/runtime/adopt-exports.js'
import { expandGlob } from './glob.js'
import { loadFailure } from './load-module.js'
import type { LoadModule } from './module-loader.js'

const MODULE = /\.[cm]?[jt]s$/
const DECLARATION = /\.d\.[cm]?ts$/

/**
 * Loads the modules with the tasks, in order, and makes their tasks and instances known. They are those that `services` of the
 * configuration names, or else `declared`: the modules in which the server's tasks were declared. Without either, those that the
 * container has declared by now are enough.
 * @returns the names of the tasks
 * @throws ErrandError `SERVICE_LOAD_FAILED`, with the cause, such as a `TASK_DUPLICATE`
 */
export async function loadService(config: Config, declared: readonly string[], load: LoadModule): Promise<readonly string[]> {
  const modules = config.services.length > 0 ? await findModules(config) : declared
  for (const url of modules) {
    const exports = await load(url, 'service module')
    adopt(url, exports)
  }
  const tasks = registry.names().filter((name) => !isReservedName(name))
  if (modules.length === 0 && tasks.length === 0) throw nothingToLoad()
  return tasks
}

/** URLs of the modules that the configuration names. */
async function findModules({ services, baseDir }: Config): Promise<readonly string[]> {
  const files = new Set<string>()
  for (const pattern of services) {
    const found = (await expandGlob(pattern, baseDir)).filter((file) => MODULE.test(file) && !DECLARATION.test(file))
    if (found.length === 0) throw noMatch(pattern, baseDir)
    for (const file of found) files.add(file)
  }
  return [...files].map((file) => pathToFileURL(file).href)
}

function adopt(url: string, exports: object): void {
  try {
    adoptExports(url, exports)
  } catch (error) {
    throw loadFailure(url, 'service module', error)
  }
}

function noMatch(pattern: string, baseDir: string): ErrandError {
  const where = isAbsolute(pattern) ? '' : ` in ${relative(process.cwd(), baseDir) || 'the current folder'}`
  return new ErrandError(
    'SERVICE_LOAD_FAILED',
    `The worker cannot load its services: "${pattern}" of "services" matches no module${where}. ` +
      'Correct it; it is relative to the configuration file and knows *, **, ? and {a,b}.',
  )
}

function nothingToLoad(): ErrandError {
  return new ErrandError(
    'SERVICE_LOAD_FAILED',
    'The worker has nothing to run: the configuration names no "services", and no task was declared without them. ' +
      'Set "services: [./services/*.ts]" in the configuration; under start() it is also enough to import the modules with tasks before it.',
  )
}
