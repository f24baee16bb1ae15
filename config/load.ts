import { readFileSync, statSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { ErrandError } from '../src/errors.js'
import type { Config } from './config.js'
import type { ConfigFiles } from './find.js'
import { findConfigFiles, namedConfigFiles, serviceNameAt } from './find.js'
import type { MergedInput } from './merge.js'
import { mergeLayers } from './merge.js'
import type { Problem } from './problem.js'
import { configError } from './problem.js'
import { resolveConfig } from './resolve.js'
import type { ConfigInput } from './schema.js'
import { rememberVariables } from './secrets.js'
import type { YamlText } from './yaml-text.js'

export type { ConfigInput } from './schema.js'

/** How {@link loadConfig} finds the configuration. */
export interface LoadOptions {
  /** Where the search begins. @defaultValue the current folder */
  readonly cwd?: string | undefined
  /** The file to read, instead of a search; relative to `cwd`. */
  readonly file?: string | undefined
  /** Name of the environment. @defaultValue the variable `ERRAND_ENV`, else `NODE_ENV`, else `development` */
  readonly env?: string | undefined
  /** Keys that win over those of the files. */
  readonly overrides?: ConfigInput | undefined
}

/** A configuration is a page or two; more is a mistake. */
const MOST_BYTES = 1_048_576

/**
 * Reads `async.config.yaml`, `async.config.<env>.yaml` over it, and `overrides` over both. Without any of them the answer has
 * `withAsync: false`, and nothing was read but the name of the package.
 * @throws ErrandError `CONFIG_INVALID` with all problems and their lines, `CONFIG_NOT_FOUND` when `file` does not exist
 */
export async function loadConfig(options: LoadOptions = {}): Promise<Config> {
  const cwd = resolve(options.cwd ?? '.')
  const environment = environmentName(options.env)
  const found = options.file === undefined ? findConfigFiles(cwd, environment) : namedConfigFiles(cwd, options.file, environment)
  const around = {
    baseDir: found.baseDir,
    file: found.files[0],
    service: serviceNameAt(found.baseDir),
    environment,
  }
  const isGiven = Object.values(options.overrides ?? {}).some((value) => value !== undefined)
  if (found.files.length === 0 && !isGiven) return resolveConfig({}, around)

  const sources = await readSources(found, cwd)
  const config = resolveConfig(await mergeAll(sources, isGiven ? options.overrides : undefined), around)
  rememberVariables(
    config,
    sources.flatMap(({ substituted }) => [...substituted.values()].flat()),
  )
  return config
}

async function readSources({ files }: ConfigFiles, cwd: string): Promise<YamlText[]> {
  if (files.length === 0) return []
  const texts = files.map((file) => ({ text: readText(file), name: shortName(cwd, file) }))
  const { readYaml } = await import('./yaml-text.js')
  return texts.map(({ text, name }) => readYaml(text, name, process.env))
}

/** Checks every layer by itself, so that each problem is told with the line it stands on, and all of them at once. */
async function mergeAll(sources: readonly YamlText[], overrides: ConfigInput | undefined): Promise<MergedInput> {
  const { validateLayer } = await import('./validate.js')
  const layers = [
    ...sources.map((source) => ({ data: source.data, source })),
    ...(overrides === undefined ? [] : [{ data: overrides, source: undefined }]),
  ]
  const problems: Problem[] = []
  let merged: MergedInput = {}
  for (const layer of layers) {
    const unreadable = layer.source?.problems ?? []
    problems.push(...unreadable)
    if (unreadable.length > 0 && layer.data === undefined) continue
    const checked = validateLayer(layer)
    if (checked.kind === 'valid') merged = mergeLayers(merged, checked.input)
    else problems.push(...checked.problems.filter((problem) => !unreadable.some((told) => told.key === problem.key)))
  }
  if (problems.length === 0) problems.push(...misfits(merged, sources))
  if (problems.length > 0) throw configError('The configuration', problems)
  return merged
}

/** What only shows when all layers are seen together. */
function misfits({ whenBrokerAway, broker }: MergedInput, sources: readonly YamlText[]): Problem[] {
  if (whenBrokerAway !== 'spool' || broker?.url !== undefined || broker?.urls !== undefined) return []
  const source = sources.findLast(({ data }) => typeof data === 'object' && data !== null && Object.hasOwn(data, 'whenBrokerAway'))
  const text = 'spool is for RabbitMQ only: the embedded queue is never away; remove it, or name an amqp:// broker'
  return [{ key: 'whenBrokerAway', text, place: source?.placeOf(['whenBrokerAway'], true) }]
}

function readText(file: string): string {
  try {
    const size = statSync(file).size
    if (size <= MOST_BYTES) return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file))
  } catch (cause) {
    throw new ErrandError('CONFIG_INVALID', `Cannot read ${file}: it must be a text file in UTF-8 that this process may read.`, {
      cause,
    })
  }
  throw new ErrandError('CONFIG_INVALID', `${file} is larger than 1 MB; a configuration is not. Check that it is the right file.`)
}

function environmentName(given: string | undefined): string {
  const name = given ?? (process.env['ERRAND_ENV'] || process.env['NODE_ENV'] || 'development')
  if (/^[A-Za-z0-9][\w.-]{0,99}$/.test(name)) return name
  throw new ErrandError(
    'OPTION_INVALID',
    'The environment (--env, ERRAND_ENV or NODE_ENV) must be a name of letters, digits, "_", "." and "-", ' +
      'because a file is named after it.',
  )
}

function shortName(cwd: string, file: string): string {
  const short = relative(cwd, file)
  return short.startsWith('..') ? file : short
}
