import type { HttpHandler } from '../http/handler.js'
import { ordersHandler, type OrdersOptions } from '../http/orders/index.js'
import { waitingPageHandler, type WaitingPageView } from '../http/page/index.js'
import { captureWith, type RequestContextOptions, type RequestFacts, type RequestSource } from './capture.js'
import { answerNode, type NodeExchange } from './node-exchange.js'
import { runAsRequest, type Emitter, type NodeReadable, type NodeRequest } from './node-request.js'
import { isBodiless, sendResponse, type NodeResponse } from './node-response.js'
import { placeOfRoute } from './web-request.js'

/** What is used of the request of Fastify 5. */
export interface FastifyRequest {
  readonly raw: NodeRequest
  readonly method: string
  readonly originalUrl: string
  readonly protocol: string
  readonly host: string
  readonly ip: string
  readonly headers: RequestFacts['headers']
  readonly user?: unknown
  readonly body?: unknown
}

/** What is used of an instance of Fastify 5. */
export interface FastifyInstance<Req> {
  addHook(name: 'onRequest', hook: (request: Req, reply: { readonly raw: Emitter }, done: () => void) => void): unknown
}

/** A plugin as `app.register()` takes it. */
export type RequestPlugin<Req> = (instance: FastifyInstance<Req>, options: unknown, done: (error?: Error) => void) => void

const SOURCE: RequestSource<FastifyRequest> = { describe, body: (request) => request.body }

/**
 * A plugin that gives every request of the whole application its context: `context()` answers it in the hooks and handlers that
 * run after, and tasks called there run with it. Register it first; it is no matter that the user becomes known later.
 * @throws ErrandError `OPTION_INVALID`
 * @example
 * await app.register(requestContext({ user: (request) => request.user }))
 */
export function requestContext<Req extends FastifyRequest = FastifyRequest>(
  options?: RequestContextOptions<Req>,
): RequestPlugin<Req> {
  const scopeOf = captureWith<Req>(SOURCE, options)
  const plugin: RequestPlugin<Req> = (instance, _options, done) => {
    instance.addHook('onRequest', (request, reply, next) => runAsRequest(scopeOf(request), request.raw, reply.raw, next))
    done()
  }
  // Fastify would otherwise keep the hook to the routes that this plugin declares, which are none
  return Object.assign(plugin, { [Symbol.for('skip-override')]: true, [Symbol.for('fastify.display-name')]: 'errand' })
}

/** What is used of a request that we answer. */
export interface AnsweredRequest extends FastifyRequest {
  readonly raw: NodeReadable
  /** The target after `rewriteUrl`, by which Fastify finds the route. */
  readonly url: string
  readonly routeOptions: { readonly url?: string | undefined }
}

/** What is used of the reply of Fastify 5. */
export interface FastifyReply {
  readonly raw: NodeResponse
  getHeaders(): Readonly<Record<string, number | string | readonly string[] | undefined>>
  send(payload: Response): unknown
  callNotFound(): unknown
  hijack(): unknown
}

/** What is used of an instance of Fastify 5 by a plugin that answers. */
export interface AnsweringInstance {
  hasContentTypeParser(type: string): boolean
  addContentTypeParser(type: string, parser: (request: unknown, payload: unknown, done: (error: null) => void) => void): unknown
  all(path: string, handler: (request: AnsweredRequest, reply: FastifyReply) => Promise<unknown>): unknown
}

/** A plugin as `app.register()` takes it. */
export type AnsweringPlugin = (instance: AnsweringInstance, options: unknown, done: (error?: Error) => void) => void

/**
 * Makes a plugin of a handler; register it with the `prefix` where it belongs. What is not its own is answered by the not-found
 * handler of the application, and what it throws by its error handler.
 * @example
 * await app.register(answerWith(handler), { prefix: '/async' })
 */
export function answerWith(handler: HttpHandler): AnsweringPlugin {
  const answer = async (request: AnsweredRequest, reply: FastifyReply): Promise<unknown> =>
    (await answerReply(handler, request, reply)) ? reply : reply.callNotFound()
  return (instance, _options, done) => {
    // bodies that the application has no parser for are left to the handler
    if (!instance.hasContentTypeParser('*')) instance.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null))
    instance.all('/', answer)
    instance.all('/*', answer)
    done()
  }
}

/**
 * The addresses of orders below the path where it is mounted: `POST`, `PUT` and `DELETE` of `<name>/order` place one, `orders/<uuid>` is
 * where it is followed and cancelled, `orders` lists those of the caller, and `openapi.json` describes all of it.
 * @throws ErrandError `OPTION_INVALID`
 * @example
 * await app.register(orders(), { prefix: '/async' })
 */
export function orders(options?: OrdersOptions): AnsweringPlugin {
  return answerWith(ordersHandler(options))
}

/**
 * A page behind which a task does the work, at the path where it is mounted; {@link WaitingPageView} says what it can do.
 * @throws ErrandError `OPTION_INVALID`, `NOT_A_TASK`
 * @example
 * await app.register(waitingPage({ run: report }), { prefix: '/report' })
 */
export function waitingPage(view: WaitingPageView): AnsweringPlugin {
  return answerWith(waitingPageHandler(view))
}

/** Answers a request of a route with `/*` at its end. @returns `false` for what is not the handler's */
export function answerReply(handler: HttpHandler, request: AnsweredRequest, reply: FastifyReply): Promise<boolean> {
  const exchange: NodeExchange = {
    ...describe(request),
    request: request.raw,
    response: reply.raw,
    place: placeOfRoute(request.url, request.routeOptions.url ?? '/*'),
    parsedBody: request.body,
  }
  return answerNode(handler, exchange, (response, gone) => send(response, { request, reply, gone }))
}

interface Sending {
  readonly request: AnsweredRequest
  readonly reply: FastifyReply
  readonly gone: AbortSignal
}

/**
 * By the reply, so that hooks and headers of the application have their part. Events alone go straight to Node: Fastify would keep
 * back the headers until the first one comes.
 */
async function send(response: Response, sending: Sending): Promise<void> {
  const { request, reply, gone } = sending
  if (response.headers.get('content-type')?.startsWith('text/event-stream') === true && request.method !== 'HEAD') {
    reply.hijack()
    for (const [name, value] of Object.entries(reply.getHeaders())) {
      if (value !== undefined) reply.raw.setHeader(name, typeof value === 'number' ? String(value) : value)
    }
    return sendResponse(response, reply.raw, { method: request.method, gone })
  }
  const isEmpty = isBodiless(request.method, response.status)
  if (isEmpty) await response.body?.cancel()
  const sent = ended(reply.raw)
  reply.send(new Response(isEmpty ? null : response.body, { status: response.status, headers: headersFor(response, reply) }))
  return sent
}

/** Fastify adds cookies to those that are there, and replaces everything else. */
function headersFor({ headers }: Response, reply: FastifyReply): Headers {
  const all = new Headers(headers)
  const { vary } = reply.getHeaders()
  if (vary !== undefined && all.has('vary')) all.set('vary', `${String(vary)}, ${all.get('vary')}`)
  return all
}

const ended = (outgoing: NodeResponse): Promise<void> =>
  new Promise((resolve) => {
    outgoing.once('finish', resolve)
    outgoing.once('close', resolve)
  })

function describe({ method, headers, protocol, host, originalUrl, raw, ip }: FastifyRequest): RequestFacts {
  return { method, headers, protocol, host, target: originalUrl, socket: raw.socket, clientAddress: ip }
}
