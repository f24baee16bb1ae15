import { ErrandError } from '../errors.js'
import { context } from '../core/context.js'

export { ErrandModule, type ErrandDynamicModule, type ErrandModuleOptions, type InjectableView, type NestRequest } from './nest-module.js'
export { requestContext, type ExpressRequest, type RequestMiddleware } from './middleware.js'
export { answerWith, orders, waitingPage, type AnsweringMiddleware } from './answering-middleware.js'
export type { HttpExchange, HttpHandler } from '../http/handler.js'
export type { OrdersOptions } from '../http/orders/index.js'
export type { WaitingPageView } from '../http/page/index.js'
export type { ExtraFields, RequestContextOptions } from './capture.js'
export type { Emitter, NodeReadable, NodeRequest } from './node-request.js'
export type { NodeResponse } from './node-response.js'

/** A class that Nest can hold an instance of. */
export type InjectableClass<T extends object = object> = abstract new (...args: never[]) => T

/** What `nestContainer()` takes. */
export interface NestContainerOptions {
  /** What Nest itself logs: `false` for nothing, or levels as Nest names them. @defaultValue warnings and worse */
  readonly logger?: false | ('log' | 'error' | 'warn' | 'debug' | 'verbose' | 'fatal')[] | undefined
}

/** The providers of a Nest application, without its HTTP side. */
export interface NestContainer extends AsyncDisposable {
  /**
   * The instance of a provider or controller, wherever in the application it is declared; `undefined` when it is nowhere. Of a
   * request-scoped class it is a new one, whose `REQUEST` is the context of the caller.
   */
  resolve<T extends object>(owner: InjectableClass<T>): Promise<T | undefined>
  /** Runs the shutdown hooks of the application. Safe twice. */
  close(): Promise<void>
}

/**
 * Makes the providers of a Nest application as Nest itself does, for the process that runs its tasks: no server, no guards, no
 * interceptors. A worker calls it by itself for a module named in the `container` key of the configuration.
 * @throws ErrandError `PACKAGE_MISSING` without `@nestjs/core`, `SERVICE_LOAD_FAILED` when Nest cannot make the application
 * @example
 * const container = await nestContainer(AppModule)
 * const mail = await container.resolve(MailService)
 */
export async function nestContainer(module: object, options: NestContainerOptions = {}): Promise<NestContainer> {
  const nest = await loadNest()
  const app = await createApplication(nest, module, options)
  const known = knownTokens(app.get(nest.ModulesContainer))
  let closing: Promise<void> | undefined
  const close = (): Promise<void> => (closing ??= app.close())
  return {
    async resolve<T extends object>(owner: InjectableClass<T>): Promise<T | undefined> {
      // asked first, since Nest logs an error for what it does not know
      if (!known.has(owner)) return undefined
      const id = nest.ContextIdFactory.create()
      app.registerRequestByContextId(context(), id)
      return app.resolve<T>(owner, id, { strict: false })
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/**
 * The Nest module class among the exports of a module, where there is exactly one: so that the `container` key may name
 * `app.module.js` as every Nest application has it, without a default export.
 */
export function nestModuleOf(exports: object): InjectableClass | undefined {
  const modules = Object.values(exports).filter(isNestModule)
  return modules.length === 1 ? modules[0] : undefined
}

/** What `@Module()` leaves on a class. */
const MODULE_METADATA = ['imports', 'providers', 'controllers', 'exports']

function isNestModule(exported: unknown): exported is InjectableClass {
  if (typeof exported !== 'function') return false
  // without the metadata library no decorator of Nest has run
  const { hasOwnMetadata } = Reflect as { readonly hasOwnMetadata?: (key: string, target: object) => boolean }
  return hasOwnMetadata !== undefined && MODULE_METADATA.some((key) => hasOwnMetadata(key, exported))
}

type Nest = typeof import('@nestjs/core')
type Application = Awaited<ReturnType<Nest['NestFactory']['createApplicationContext']>>

async function loadNest(): Promise<Nest> {
  try {
    return await import('@nestjs/core')
  } catch (cause) {
    throw new ErrandError(
      'PACKAGE_MISSING',
      'Cannot make the providers of the Nest application: the package @nestjs/core is not installed beside errand. ' +
        'Run: npm install @nestjs/core @nestjs/common',
      { cause },
    )
  }
}

async function createApplication(nest: Nest, module: object, options: NestContainerOptions): Promise<Application> {
  const { logger = ['warn', 'error', 'fatal'] } = options
  try {
    // what is no module after all is refused by Nest in the next step; without abortOnError: false it would end the process
    const entry = module as Parameters<Nest['NestFactory']['createApplicationContext']>[0]
    return await nest.NestFactory.createApplicationContext(entry, { logger, abortOnError: false })
  } catch (cause) {
    const name = typeof module === 'function' ? module.name : 'the given module'
    throw new ErrandError(
      'SERVICE_LOAD_FAILED',
      `Cannot make the providers of the Nest application from ${name}: Nest refused it or one of its providers failed. ` +
        'The cause says which; a provider that needs the HTTP server cannot be made in a worker.',
      { cause },
    )
  }
}

/** Everything that some module of the application provides, or answers requests with. */
function knownTokens(modules: InstanceType<Nest['ModulesContainer']>): ReadonlySet<unknown> {
  const tokens = new Set<unknown>()
  for (const { providers, controllers, injectables } of modules.values()) {
    for (const part of [providers, controllers, injectables]) {
      for (const token of part.keys()) tokens.add(token)
    }
  }
  return tokens
}
