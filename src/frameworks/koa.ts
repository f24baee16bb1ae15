import type { HttpHandler } from '../http/handler.js'
import { ordersHandler, type OrdersOptions } from '../http/orders/index.js'
import { waitingPageHandler, type WaitingPageView } from '../http/page/index.js'
import { captureWith, type RequestContextOptions, type RequestFacts, type RequestSource } from './capture.js'
import { answerNode } from './node-exchange.js'
import { runAsRequest, type NodeReadable } from './node-request.js'
import type { NodeResponse } from './node-response.js'
import { placeWithin } from './web-request.js'

export type { HttpExchange, HttpHandler } from '../http/handler.js'
export type { OrdersOptions } from '../http/orders/index.js'
export type { WaitingPageView } from '../http/page/index.js'
export type { ExtraFields, RequestContextOptions } from './capture.js'
export type { Emitter, NodeReadable, NodeRequest } from './node-request.js'
export type { NodeResponse } from './node-response.js'

/** What is used of the context of Koa 2 and 3. */
export interface KoaContext {
  readonly req: NodeReadable
  readonly res: NodeResponse
  readonly method: string
  readonly originalUrl: string
  /** A router or a mount cuts its own path off. */
  path: string
  readonly protocol: string
  readonly host: string
  readonly ip: string
  readonly headers: RequestFacts['headers']
  readonly state: { readonly user?: unknown }
  readonly request: object
  respond?: boolean | undefined
}

/** A middleware as `app.use()` takes it. */
export type KoaMiddleware<Ctx> = (ctx: Ctx, next: () => Promise<unknown>) => Promise<unknown>

const SOURCE: RequestSource<KoaContext> = { describe, body: bodyOf }

/**
 * A middleware that gives every request its context: `context()` answers it in all that runs after, and tasks called there
 * run with it. Use it first; it is no matter that the user becomes known later. The functions among the options get the context of
 * Koa, and the user is `ctx.state.user` unless they say otherwise.
 * @throws ErrandError `OPTION_INVALID`
 * @example
 * app.use(requestContext({ user: (ctx) => ctx.state.user }))
 */
export function requestContext<Ctx extends KoaContext = KoaContext>(options: RequestContextOptions<Ctx> = {}): KoaMiddleware<Ctx> {
  const scopeOf = captureWith<Ctx>(SOURCE, { ...options, user: options.user ?? ((ctx) => ctx.state.user) })
  return (ctx, next) => runAsRequest(scopeOf(ctx), ctx.req, ctx.res, next)
}

/**
 * Makes a middleware of a handler; use it after `requestContext()`. What is not its own goes on to the application, and so does
 * what it throws. The response goes straight to Node, so middleware that changes `ctx.body` does not see it.
 * @example
 * app.use(mount('/async', answerWith(handler)))
 */
export function answerWith(handler: HttpHandler): KoaMiddleware<KoaContext> {
  return async (ctx, next) => {
    const { req: request, res: response, originalUrl, path } = ctx
    const place = placeWithin(originalUrl, path)
    const isAnswered = await answerNode(handler, { ...describe(ctx), request, response, place, parsedBody: bodyOf(ctx) })
    if (!isAnswered) return next()
    ctx.respond = false
    return undefined
  }
}

/**
 * The addresses of orders below the path where it is mounted: `POST`, `PUT` and `DELETE` of `<name>/order` place one, `orders/<uuid>` is
 * where it is followed and cancelled, `orders` lists those of the caller, and `openapi.json` describes all of it.
 * @throws ErrandError `OPTION_INVALID`
 * @example
 * app.use(mount('/async', orders()))
 */
export function orders(options?: OrdersOptions): KoaMiddleware<KoaContext> {
  return answerWith(ordersHandler(options))
}

/**
 * A page behind which a task does the work, at the path where it is mounted; {@link WaitingPageView} says what it can do.
 * @throws ErrandError `OPTION_INVALID`, `NOT_A_TASK`
 * @example
 * app.use(mount('/report', waitingPage({ run: report })))
 */
export function waitingPage(view: WaitingPageView): KoaMiddleware<KoaContext> {
  return answerWith(waitingPageHandler(view))
}

/** Mounts a middleware at a path: it gets what lies there and sees the rest of the path. It works like the package `koa-mount`. */
export function mount<Ctx extends KoaContext>(path: string, middleware: KoaMiddleware<Ctx>): KoaMiddleware<Ctx> {
  const prefix = path.replace(/\/+$/, '')
  return async (ctx, next) => {
    const whole = ctx.path
    const rest = whole.slice(prefix.length)
    if (!whole.startsWith(prefix) || (rest !== '' && !rest.startsWith('/'))) return next()
    ctx.path = rest || '/'
    try {
      return await middleware(ctx, async () => {
        ctx.path = whole
        return next()
      })
    } finally {
      ctx.path = whole
    }
  }
}

function describe({ req, method, headers, protocol, host, originalUrl, ip }: KoaContext): RequestFacts {
  return { method, headers, protocol, host, target: originalUrl, socket: req.socket, clientAddress: ip }
}

/** Koa has no body; parsers for it put one on its request. */
function bodyOf({ request }: KoaContext): unknown {
  return 'body' in request ? request.body : undefined
}
