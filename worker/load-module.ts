import { ErrandError } from '../src/errors.js'

/** What a module is loaded for, as messages say it. */
export type ModuleRole = 'service module' | 'container' | 'error reporter'

/** Imports a module by URL. @throws ErrandError `SERVICE_LOAD_FAILED` with the cause and what to do */
export async function loadModule(url: string, role: ModuleRole): Promise<Readonly<Record<string, unknown>>> {
  try {
    // a module namespace is an object of its exports
    return (await import(url)) as Readonly<Record<string, unknown>>
  } catch (error) {
    throw loadFailure(url, role, error)
  }
}

/** The export `name` of a module, or its default export, also where a CommonJS module was compiled from one. */
export function mainExport(exports: Readonly<Record<string, unknown>>, name: string): unknown {
  const fallback = exports['default']
  if (exports[name] !== undefined || typeof fallback !== 'object' || fallback === null) return exports[name] ?? fallback
  return Reflect.get(fallback, name) ?? Reflect.get(fallback, 'default') ?? fallback
}

/** The failure to load a module, for people. */
export function loadFailure(url: string, role: ModuleRole, error: unknown): ErrandError {
  const why = error instanceof Error ? `${error.name}: ${error.message.split('\n')[0]}` : 'it threw a value that is no error'
  return new ErrandError('SERVICE_LOAD_FAILED', `The worker cannot load the ${role} ${decodeURI(url)}: ${why}${advice(url, error)}`, { cause: error })
}

/** What to do, as the rest of the sentence that says why. */
function advice(url: string, error: unknown): string {
  if (error instanceof ErrandError) return '' // its own message ends with that
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
  if (/\.[cm]?ts$/.test(url) && (code === 'ERR_UNKNOWN_FILE_EXTENSION' || error instanceof SyntaxError)) {
    return '. Start the server with a TypeScript loader (such as tsx; the worker inherits it), or let "services" name the compiled files.'
  }
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') return '. Correct the path or install the package.'
  return '. Make the module load without the web server; the cause below says where it failed.'
}
