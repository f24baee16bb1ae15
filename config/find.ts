import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { ErrandError } from '../src/errors.js'

/** The files of one configuration, from the most general to the most special. */
export interface ConfigFiles {
  readonly baseDir: string
  readonly files: readonly string[]
}

const NAME = 'async.config'

/**
 * Looks for `async.config.yaml` and `async.config.<env>.yaml`: in `cwd` and the folders above it, up to the one that has a
 * `package.json`. Outside any package only `cwd` counts, so that nobody else's file is picked up.
 */
export function findConfigFiles(cwd: string, environment: string): ConfigFiles {
  for (const dir of upToPackage(cwd)) {
    const files = [`${NAME}.yaml`, `${NAME}.${environment}.yaml`]
      .map((name) => join(dir, name))
      .filter((file) => existsSync(file))
    if (files.length > 0) return { baseDir: dir, files }
    refuseOtherExtension(dir, environment)
  }
  return { baseDir: cwd, files: [] }
}

/**
 * The file that was named, with the one of the environment beside it: `jobs.yaml`, `jobs.production.yaml`.
 * @throws ErrandError `CONFIG_NOT_FOUND`
 */
export function namedConfigFiles(cwd: string, given: string, environment: string): ConfigFiles {
  const file = resolve(cwd, given)
  if (!existsSync(file)) {
    throw new ErrandError(
      'CONFIG_NOT_FOUND',
      `No configuration file at ${file}. Check the path, or run \`errand init\` to make one.`,
    )
  }
  const extension = extname(file)
  const special = join(dirname(file), `${basename(file, extension)}.${environment}${extension}`)
  return { baseDir: dirname(file), files: existsSync(special) ? [file, special] : [file] }
}

/** A name for the application at `dir`: that of its package with the scope made part of it, else that of the folder. */
export function serviceNameAt(dir: string): string {
  const root = upToPackage(dir).at(-1) ?? dir
  return safeName(packageName(root) ?? '') ?? safeName(basename(root)) ?? 'app'
}

/** `dir` and the folders above it up to the one with a package.json; `dir` alone when there is none. */
function upToPackage(dir: string): string[] {
  const folders: string[] = []
  for (let at = dir; ; at = dirname(at)) {
    folders.push(at)
    if (existsSync(join(at, 'package.json'))) return folders
    if (dirname(at) === at) return [dir]
  }
}

/** A file that is there and not read would look like `withAsync: false`, without any sign of it. */
function refuseOtherExtension(dir: string, environment: string): void {
  for (const name of [NAME, `${NAME}.${environment}`]) {
    if (!existsSync(join(dir, `${name}.yml`))) continue
    throw new ErrandError('CONFIG_INVALID', `${join(dir, `${name}.yml`)} is not read: its name must be ${name}.yaml. Rename it.`)
  }
}

function packageName(dir: string): string | undefined {
  try {
    const read: unknown = JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8'))
    const name = typeof read === 'object' && read !== null && 'name' in read ? read.name : undefined
    return typeof name === 'string' ? name : undefined
  } catch {
    return undefined // an unreadable package.json is for its own tools to tell
  }
}

function safeName(name: string): string | undefined {
  const safe = name.replaceAll(/[^\w.-]+/g, '-').replaceAll(/^[^A-Za-z0-9]+|-+$/g, '')
  return safe === '' ? undefined : safe.slice(0, 100)
}
