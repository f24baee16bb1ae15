import { refuseUnknownKeys } from '../core/options.js'
import { ErrandError } from '../errors.js'
import type { HttpHandler } from '../http/handler.js'
import { ordersHandler, type OrdersOptions } from '../http/orders/index.js'
import { waitingPageHandler, type WaitingPageView } from '../http/page/index.js'
import type { RequestContextOptions } from './capture.js'
import { answerReply, requestContext as fastifyContext, type AnsweredRequest, type FastifyReply, type FastifyRequest } from './plugin.js'
import { describeExpressRequest, requestContext as expressContext, type ExpressRequest } from './middleware.js'
import { answerNode } from './node-exchange.js'
import type { NodeReadable } from './node-request.js'
import type { NodeResponse } from './node-response.js'
import { placeOfRoute } from './web-request.js'

/** The request of the platform that Nest runs on. */
export type NestRequest = (ExpressRequest | FastifyRequest) & { readonly user?: unknown }

/** What `ErrandModule.forRoot()` takes. */
export interface ErrandModuleOptions<Req extends NestRequest = NestRequest> {
  /** Options of `requestContext()`; `false` where the application calls that itself. @defaultValue {} */
  readonly context?: RequestContextOptions<Req> | false | undefined
  /**
   * Handlers by the path where each is mounted, below the global prefix. Each is a controller: guards, interceptors and filters of the
   * application hold for it. @defaultValue none
   */
  readonly handlers?: Readonly<Record<string, HttpHandler>> | undefined
  /**
   * Options of `orders()` by the path where they are mounted, such as `{ async: {} }`. They are mounted like handlers. @defaultValue none
   */
  readonly orders?: Readonly<Record<string, OrdersOptions>> | undefined
  /**
   * Waiting pages by the path of each: a view, or a provider that is one, a class with the task as its method `run`. They are mounted
   * like handlers. @defaultValue none
   */
  readonly pages?: Readonly<Record<string, WaitingPageView | InjectableView>> | undefined
}

/** A class of which Nest makes the one instance. */
export type InjectableView = new (...args: never[]) => WaitingPageView

/** A dynamic module as `imports` takes it. */
export interface ErrandDynamicModule {
  readonly module: typeof ErrandModule
  readonly providers: { provide: symbol; useFactory: (host: AdapterHost, providers: Providers) => object; inject: (new () => object)[] }[]
  readonly controllers: (new () => object)[]
}

/**
 * Captures the context of every request, and mounts handlers. Works with Nest 11 and 12, on Express and on Fastify. On Fastify,
 * middleware of `app.use()` runs before the capture; guards, interceptors and controllers run with the context on both.
 */
// oxlint-disable-next-line no-extraneous-class -- Nest knows a module by its class
export class ErrandModule {
  /**
   * @throws ErrandError `PACKAGE_MISSING` without `@nestjs/core`, `OPTION_INVALID`
   * @example
   * @Module({ imports: [ErrandModule.forRoot({ context: { user: (request) => request.user } })] })
   */
  static async forRoot<Req extends NestRequest = NestRequest>(options: ErrandModuleOptions<Req> = {}): Promise<ErrandDynamicModule> {
    refuseUnknownKeys('ErrandModule.forRoot()', options, ['context', 'handlers', 'orders', 'pages'])
    const { context = {}, handlers = {}, orders = {}, pages = {} } = options
    const nest = await loadNest()
    const views = Object.entries(pages).map(([path, view]) => new MountedPage(path, view))
    const ordering = Object.entries(orders).map(([path, given]) => [path, ordersHandler(given)] as const)
    const paging = views.map(({ path, handler }) => [path, handler] as const)
    const controllers = [...Object.entries(handlers), ...ordering, ...paging].map(([path, handler]) => controllerOf(nest, path, handler))
    const setUp = {
      provide: Symbol('errand set-up'),
      useFactory: ({ httpAdapter }: AdapterHost, providers: Providers) => {
        if (httpAdapter === undefined || httpAdapter === null) return {}
        if (context !== false) captureOn(httpAdapter, context)
        for (const controller of controllers) declareRoutes(nest, controller, httpAdapter)
        return { onModuleInit: () => views.forEach((view) => view.open(providers)) }
      },
      // Nest itself makes both
      inject: [nest.core.HttpAdapterHost, nest.core.ModuleRef] as unknown as (new () => object)[],
    }
    return { module: ErrandModule, providers: [setUp], controllers }
  }
}

/** Finds providers of the whole application. */
interface Providers {
  get(token: InjectableView, options: { strict: false }): WaitingPageView
}

/** A page whose view is there once Nest has made its providers. */
class MountedPage {
  readonly path: string
  readonly handler: HttpHandler = async (exchange) => this.#handler?.(exchange)
  readonly #view: WaitingPageView | InjectableView
  #handler: HttpHandler | undefined

  constructor(path: string, view: WaitingPageView | InjectableView) {
    this.path = path
    this.#view = view
  }

  open(providers: Providers): void {
    const view = typeof this.#view === 'function' ? providers.get(this.#view, { strict: false }) : this.#view
    this.#handler = waitingPageHandler(view)
  }
}

/** The platform that Nest runs on. */
interface Adapter {
  getType(): string
  getInstance(): unknown
  use(middleware: unknown): unknown
}

/** A worker has no HTTP side, hence no adapter. */
interface AdapterHost {
  readonly httpAdapter?: Adapter | null
}

/** Before what the application does with a request, as Nest makes its providers first. */
function captureOn<Req extends NestRequest>(adapter: Adapter, options: RequestContextOptions<Req>): void {
  if (adapter.getType() === 'fastify') {
    // on this platform the request of the application is that of Fastify
    const plugin = fastifyContext(options as RequestContextOptions<FastifyRequest>)
    plugin(adapter.getInstance() as Parameters<typeof plugin>[0], {}, () => undefined)
  } else {
    // and on this one that of Express
    adapter.use(expressContext(options as RequestContextOptions<ExpressRequest>))
  }
}

interface Nest {
  readonly core: typeof import('@nestjs/core')
  readonly common: typeof import('@nestjs/common')
}

async function loadNest(): Promise<Nest> {
  try {
    const [core, common] = await Promise.all([import('@nestjs/core'), import('@nestjs/common')])
    return { core, common }
  } catch (cause) {
    throw new ErrandError(
      'PACKAGE_MISSING',
      'Cannot make the Nest module of errand: the package @nestjs/core is not installed beside errand. ' +
        'Run: npm install @nestjs/core @nestjs/common',
      { cause },
    )
  }
}

/** A request of Express in a route. */
type RoutedRequest = ExpressRequest & NodeReadable & { readonly route?: { readonly path?: string } }

/** A controller, as the decorators of Nest would declare it in the code of the application. */
function controllerOf({ common }: Nest, path: string, handler: HttpHandler): new () => object {
  class MountedHandler {
    async answer(request: AnsweredRequest | RoutedRequest, response: FastifyReply | NodeResponse, next: () => void): Promise<void> {
      if ('hijack' in response) {
        // Nest runs on Fastify, so the request is also of Fastify
        const isAnswered = await answerReply(handler, request as AnsweredRequest, response)
        if (!isAnswered) response.callNotFound()
        return
      }
      // the response is of Express, and so is the request
      if (!(await answerExpress(handler, request as RoutedRequest, response))) next()
    }
  }
  for (const [index, parameter] of [common.Req, common.Res, common.Next].entries()) {
    parameter()(MountedHandler.prototype, 'answer', index)
  }
  common.Controller(path)(MountedHandler)
  return MountedHandler
}

/** Nest reads the routes of a controller after it has made the providers. Its platforms write wildcards differently. */
function declareRoutes({ common }: Nest, controller: new () => object, adapter: Adapter): void {
  const answer = Object.getOwnPropertyDescriptor(controller.prototype, 'answer')
  const wildcard = adapter.getType() === 'fastify' ? '/*' : '/*path'
  if (answer !== undefined) common.All(['/', wildcard])(controller, 'answer', answer)
}

function answerExpress(handler: HttpHandler, request: RoutedRequest, response: NodeResponse): Promise<boolean> {
  const facts = describeExpressRequest(request)
  const place = placeOfRoute(facts.target ?? '/', request.route?.path ?? '/')
  return answerNode(handler, { ...facts, request, response, place, parsedBody: request.body })
}
