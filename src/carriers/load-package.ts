import { createRequire } from 'node:module'
import { join } from 'node:path'
import { ErrandError } from '../errors.js'

/**
 * Loads an optional package on first use, as the package manager placed it for this library, else as the application's folder has
 * it. Both are CommonJS and keep their state per copy or per process, so the application's copy is the one that counts.
 * @throws ErrandError `PACKAGE_MISSING`
 */
export function loadPackage(name: string, forWhat: string): unknown {
  const places = [import.meta.url, join(process.cwd(), 'package.json')]
  for (const place of places) {
    const require = createRequire(place)
    const file = resolveIn(require, name)
    if (file !== undefined) return require(file)
  }
  const problem = `${forWhat} needs the package ${name}, which is not installed.`
  throw new ErrandError('PACKAGE_MISSING', `${problem} Run: npm install ${name}`)
}

function resolveIn(require: NodeJS.Require, name: string): string | undefined {
  try {
    return require.resolve(name)
  } catch {
    return undefined // not there; anything else that is wrong shows when it is loaded
  }
}
