import type { Carrier } from '../core/carrier.js'
import { refuseUnknownKeys } from '../core/options.js'
import { ErrandError } from '../errors.js'
import { copyValues, readValues, type CarriedValues } from './carried-values.js'
import { loadPackage } from './load-package.js'

/** What of the nestjs-cls store travels. */
export interface NestjsClsOptions {
  /**
   * Keys of the store that travel; a value among them that cannot is an error of the call, `VALUE_UNSERIALIZABLE`.
   * @defaultValue every value that can
   */
  readonly keys?: readonly string[] | undefined
  /** The module `nestjs-cls`, for bundled applications, where it cannot be found by name. */
  readonly module?: NestjsClsModule | undefined
}

/** What this library uses of the package. */
export interface NestjsClsModule {
  readonly CLS_ID: symbol
  readonly ClsServiceManager: { getClsService(): NestjsClsService }
}

/** What this library uses of `ClsService`. */
export interface NestjsClsService {
  isActive(): boolean
  get(): unknown
  // any store fits: it is an object of the application's own making
  runWith<T>(store: never, callback: () => T): T
}

interface State {
  readonly values: CarriedValues
  /** The request's own id, when it has one. */
  readonly id: string | undefined
}

/**
 * Carries the store of nestjs-cls, with the request's id (`getId()`): the body finds the caller's values. What Nest itself keeps
 * there under symbols (request, response, proxy providers) stays behind. The state is encrypted in the message.
 *
 * @example carry(nestjsCls({ keys: ['tenant', 'locale'] }))
 * @throws ErrandError `PACKAGE_MISSING` at the first call
 */
export function nestjsCls(options: NestjsClsOptions = {}): Carrier<State> {
  refuseUnknownKeys('nestjsCls', options, ['keys', 'module'])
  const { keys } = options
  let loaded = options.module
  const load = (): NestjsClsModule => (loaded ??= loadModule())
  return {
    name: 'nestjs-cls',
    capture: () => capture(load(), keys),
    restore: (state, next) => restore(load(), state, next),
  }
}

// the package keeps this shape since version 3
const loadModule = (): NestjsClsModule => loadPackage('nestjs-cls', 'The carrier nestjsCls()') as NestjsClsModule

const WHERE = 'the nestjs-cls store'

function capture({ CLS_ID, ClsServiceManager }: NestjsClsModule, keys: readonly string[] | undefined): State | undefined {
  const service = ClsServiceManager.getClsService()
  const store = service.isActive() ? service.get() : undefined
  if (typeof store !== 'object' || store === null) return undefined
  const entries = (keys ?? Object.keys(store)).map((key) => [key, Reflect.get(store, key) as unknown] as const)
  const id: unknown = Reflect.get(store, CLS_ID)
  return { values: copyValues(entries, keys !== undefined, WHERE), id: typeof id === 'string' ? id : undefined }
}

function restore<T>({ CLS_ID, ClsServiceManager }: NestjsClsModule, state: unknown, next: () => T): T {
  if (typeof state !== 'object' || state === null) {
    const problem = `Cannot restore ${WHERE}: its state is not an object.`
    throw new ErrandError('CONTEXT_UNRESTORABLE', `${problem} Server and worker must run the same version.`)
  }
  const store: Record<PropertyKey, unknown> = Object.fromEntries(readValues(Reflect.get(state, 'values'), WHERE))
  const id: unknown = Reflect.get(state, 'id')
  if (id !== undefined) store[CLS_ID] = id
  // the service takes any object
  return ClsServiceManager.getClsService().runWith(store as never, next)
}
