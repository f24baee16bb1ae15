import { dirname } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const HERE = dirname(dirname(fileURLToPath(import.meta.url)))
/** Code that compilers and metadata put between a decorator and the module that uses it. */
const BETWEEN = /[\\/]node_modules[\\/](reflect-metadata|tslib|@swc[\\/]helpers|@babel[\\/]runtime|@oxc-project[\\/]runtime)[\\/]/
const DEEP_ENOUGH = 24

/**
 * URL of the module whose evaluation is using a decorator right now, read from the stack; `undefined` where it does not tell. It is
 * how a worker knows which modules to load when the configuration names none.
 */
export function declaringModule(): string | undefined {
  const file = callingFiles().find((name) => !name.startsWith('node:') && !name.startsWith(HERE) && !BETWEEN.test(name))
  return file === undefined ? undefined : pathToFileURL(file).href
}

function callingFiles(): readonly string[] {
  // oxlint-disable-next-line unbound-method -- only put back as it was
  const saved = { prepareStackTrace: Error.prepareStackTrace, stackTraceLimit: Error.stackTraceLimit }
  const holder: { stack?: unknown } = {}
  try {
    Error.stackTraceLimit = DEEP_ENOUGH
    Error.prepareStackTrace = (_error, sites) => sites.map((site) => site.getFileName() ?? '')
    Error.captureStackTrace(holder, declaringModule)
    // evaluated here, by the function above
    const files = (holder.stack ?? []) as readonly string[]
    return files.map(toPath).filter((file) => file !== '')
  } finally {
    Object.assign(Error, saved)
  }
}

function toPath(file: string): string {
  if (file.startsWith('file:')) return fileURLToPath(file.replace(/[?#].*$/, ''))
  return /^([A-Za-z]:)?[\\/]/.test(file) ? file : ''
}
