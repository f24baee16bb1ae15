import { isAbsolute, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Config } from '../config/config.js'
import { carry, type Carrier } from './core/carrier.js'
import { ErrandError } from './errors.js'

const BUILT_IN: Readonly<Record<string, () => Promise<Carrier>>> = {
  'cls-hooked': async () => (await import('./carriers/cls-hooked.js')).clsHooked(),
  'nestjs-cls': async () => (await import('./carriers/nestjs-cls.js')).nestjsCls(),
  opentelemetry: async () => (await import('./carriers/opentelemetry.js')).openTelemetry(),
}

/**
 * Uses the carriers named by the `carriers` key, in server and worker alike: built-in ones by name, others by the path of a module
 * whose default export, or export `carrier`, is one.
 * @throws ErrandError `CONFIG_INVALID`, `PACKAGE_MISSING`
 */
export async function useConfiguredCarriers(config: Config): Promise<void> {
  for (const name of config.carriers) {
    const builtIn = BUILT_IN[name]
    carry(builtIn === undefined ? await loadCarrier(config.baseDir, name) : await builtIn())
  }
}

async function loadCarrier(baseDir: string, path: string): Promise<Carrier> {
  const file = isAbsolute(path) ? path : resolve(baseDir, path)
  let found: unknown
  try {
    const exports: unknown = await import(pathToFileURL(file).href)
    if (typeof exports === 'object' && exports !== null) found = Reflect.get(exports, 'carrier') ?? Reflect.get(exports, 'default')
  } catch (error) {
    throw new ErrandError('CONFIG_INVALID', `carriers: cannot load "${path}" (${file}). Known names: ${Object.keys(BUILT_IN).join(', ')}.`, { cause: error })
  }
  if (isCarrier(found)) return found
  throw new ErrandError('CONFIG_INVALID', `carriers: "${path}" has no default export, and no export "carrier", of the form { name, capture, restore }.`)
}

const isCarrier = (value: unknown): value is Carrier =>
  typeof value === 'object' &&
  value !== null &&
  typeof Reflect.get(value, 'name') === 'string' &&
  typeof Reflect.get(value, 'capture') === 'function' &&
  typeof Reflect.get(value, 'restore') === 'function'
