import { runInScope } from '../core/context.js'
import type { HttpHandler } from '../http/handler.js'
import { ordersHandler, type OrdersOptions } from '../http/orders/index.js'
import { waitingPageHandler, type WaitingPageView } from '../http/page/index.js'
import { captureWith, type RequestContextOptions, type RequestFacts, type RequestSource } from './capture.js'
import { runAsRequest, type NodeRequest, type Emitter } from './node-request.js'
import { placeOfRoute } from './web-request.js'

export type { HttpExchange, HttpHandler } from '../http/handler.js'
export type { OrdersOptions } from '../http/orders/index.js'
export type { WaitingPageView } from '../http/page/index.js'
export type { ExtraFields, RequestContextOptions } from './capture.js'
export type { Emitter, NodeRequest } from './node-request.js'

/** What is used of the context of Hono 4. */
export interface HonoContext {
  readonly req: {
    readonly raw: Request
    readonly routePath: string
    header(name: string): string | undefined
    text(): Promise<string>
    parseBody(): Promise<unknown>
  }
  /** Of `@hono/node-server` it holds the request and response of Node. */
  readonly env: unknown
  get(name: string): unknown
}

/** A middleware as `app.use()` takes it. */
export type HonoMiddleware<C> = (c: C, next: () => Promise<void>) => Promise<Response | void>

/** The bodies that the context of a request holds, where it was asked for them. */
const bodies = new WeakMap<Request, unknown>()

const SOURCE: RequestSource<HonoContext> = { describe, body: ({ req }) => bodies.get(req.raw) }

/**
 * A middleware that gives every request its context: `context()` answers it in all that runs after, and tasks called there
 * run with it. Use it first; it is no matter that the user becomes known later. The functions among the options get the context of
 * Hono, and the user is `c.get('user')` unless they say otherwise. The address of the client is known on `@hono/node-server` alone.
 * @throws ErrandError `OPTION_INVALID`
 * @example
 * app.use(requestContext({ user: (c) => c.get('user') }))
 */
export function requestContext<C extends HonoContext = HonoContext>(options: RequestContextOptions<C> = {}): HonoMiddleware<C> {
  const scopeOf = captureWith<C>(SOURCE, { ...options, user: options.user ?? ((c) => c.get('user')) })
  return async (c, next) => {
    if (options.body === true) bodies.set(c.req.raw, await parsedBody(c))
    const scope = scopeOf(c)
    const { incoming, outgoing } = nodeOf(c)
    if (incoming === undefined || outgoing === undefined) return runInScope(scope, next)
    return runAsRequest(scope, incoming, outgoing, next)
  }
}

/**
 * Makes a middleware of a handler; use it after `requestContext()`, with `/*` at the end of its path. What is not its own goes on
 * to the application, and so does what it throws.
 * @example
 * app.use('/async/*', answerWith(handler))
 */
export function answerWith(handler: HttpHandler): HonoMiddleware<HonoContext> {
  return async (c, next) => {
    const { raw: request, routePath } = c.req
    const place = placeOfRoute(targetOf(request), routePath)
    const response = await handler({ request, ...place, ...(request.bodyUsed && { parsedBody: await parsedBody(c) }) })
    if (response === undefined) return next()
    return request.method === 'HEAD' ? withoutBody(response) : response
  }
}

/**
 * The addresses of orders below the path where it is mounted: `POST`, `PUT` and `DELETE` of `<name>/order` place one, `orders/<uuid>` is
 * where it is followed and cancelled, `orders` lists those of the caller, and `openapi.json` describes all of it.
 * @throws ErrandError `OPTION_INVALID`
 * @example
 * app.use('/async/*', orders())
 */
export function orders(options?: OrdersOptions): HonoMiddleware<HonoContext> {
  return answerWith(ordersHandler(options))
}

/**
 * A page behind which a task does the work, at the path where it is mounted; {@link WaitingPageView} says what it can do.
 * @throws ErrandError `OPTION_INVALID`, `NOT_A_TASK`
 * @example
 * app.use('/report/*', waitingPage({ run: report }))
 */
export function waitingPage(view: WaitingPageView): HonoMiddleware<HonoContext> {
  return answerWith(waitingPageHandler(view))
}

/** Hono drops the body of an answer to HEAD without a word to whoever makes it. */
async function withoutBody(response: Response): Promise<Response> {
  await response.body?.cancel()
  return new Response(null, response)
}

/** What Hono kept of a body that was read, or reads now: text that is no JSON as it is, `undefined` for a type that it does not parse. */
async function parsedBody({ req }: HonoContext): Promise<unknown> {
  const type = req.header('content-type') ?? ''
  if (/^application\/(?:[^;]+\+)?json\b/i.test(type)) return parsed(await req.text())
  if (/^(?:application\/x-www-form-urlencoded|multipart\/form-data)\b/i.test(type)) return req.parseBody()
  return undefined
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function describe(c: HonoContext): RequestFacts {
  const { raw } = c.req
  const socket = nodeOf(c).incoming?.socket ?? {}
  const { protocol, host } = new URL(raw.url)
  return {
    method: raw.method,
    headers: Object.fromEntries(raw.headers),
    protocol: protocol.slice(0, -1),
    host,
    target: targetOf(raw),
    socket,
    clientAddress: socket.remoteAddress,
  }
}

const targetOf = ({ url }: Request): string => url.replace(/^[a-z]+:\/\/[^/?#]*/i, '')

/** The request and response of Node that this one was made of; none on other platforms. */
function nodeOf({ env }: HonoContext): { readonly incoming?: NodeRequest; readonly outgoing?: Emitter } {
  const isNode = typeof env === 'object' && env !== null && 'incoming' in env && 'outgoing' in env
  // @hono/node-server documents both as those of Node
  return isNode ? (env as { readonly incoming: NodeRequest; readonly outgoing: Emitter }) : {}
}
