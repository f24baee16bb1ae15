import type { HttpHandler } from '../http/handler.js'
import { ordersHandler, type OrdersOptions } from '../http/orders/index.js'
import { waitingPageHandler, type WaitingPageView } from '../http/page/index.js'
import { captureWith, type RequestContextOptions, type RequestSource } from './capture.js'
import { answerNode, logFailure } from './node-exchange.js'
import { describeNodeRequest, runAsRequest, type Emitter, type NodeReadable, type NodeRequest } from './node-request.js'
import type { NodeResponse } from './node-response.js'
import { placeWithin } from './web-request.js'

export type { HttpExchange, HttpHandler } from '../http/handler.js'
export type { OrdersOptions } from '../http/orders/index.js'
export type { WaitingPageView } from '../http/page/index.js'
export type { ExtraFields, RequestContextOptions } from './capture.js'
export type { Emitter, NodeReadable, NodeRequest } from './node-request.js'
export type { NodeResponse } from './node-response.js'

const SOURCE: RequestSource<NodeRequest & Pick<HttpRequest, 'originalUrl'>> = {
  // a mount cuts its own path off `url` while its listener runs
  describe: (request) => ({ ...describeNodeRequest(request), target: request.originalUrl ?? request.url }),
  body: (request) => request.body,
}

/**
 * Gives every request of a plain `(request, response)` listener its context: `context()` answers it in the listener and all
 * it awaits, and tasks called there run with it.
 * @throws ErrandError `OPTION_INVALID`
 * @example
 * createServer(requestContext({ user: (request) => sessions.get(request) })(async (request, response) => { … }))
 */
export function requestContext<Req extends NodeRequest = NodeRequest>(options?: RequestContextOptions<Req>) {
  const scopeOf = captureWith<Req>(SOURCE, options)
  return <Incoming extends Req, Res extends Emitter, T>(listener: (request: Incoming, response: Res) => T) =>
    (request: Incoming, response: Res): T =>
      runAsRequest(scopeOf(request), request, response, () => listener(request, response))
}

/** A request of Node; routers of the kind of `connect` keep the whole target beside what they left of it. */
export interface HttpRequest extends NodeReadable {
  url?: string | undefined
  originalUrl?: string | undefined
}

/**
 * Answers what is its own, and says whether it did. It never rejects: a failure is logged and answered with status 500. With a
 * `next`, that is called for what is not its own, as by any middleware.
 */
export type HttpListener = (request: HttpRequest, response: NodeResponse, next?: () => void) => Promise<boolean>

/**
 * Makes a listener of a handler.
 * @example
 * const orders = answerWith(handler)
 * createServer(async (request, response) => { if (!(await orders(request, response))) response.writeHead(404).end() })
 */
export function answerWith(handler: HttpHandler): HttpListener {
  return async (request, response, next) => {
    const isAnswered = await answer(handler, request, response)
    if (!isAnswered) next?.()
    return isAnswered
  }
}

/**
 * The addresses of orders below the path where it is mounted: `POST`, `PUT` and `DELETE` of `<name>/order` place one, `orders/<uuid>` is
 * where it is followed and cancelled, `orders` lists those of the caller, and `openapi.json` describes all of it.
 * @throws ErrandError `OPTION_INVALID`
 * @example
 * const answer = mount('/async', orders())
 */
export function orders(options?: OrdersOptions): HttpListener {
  return answerWith(ordersHandler(options))
}

/**
 * A page behind which a task does the work, at the path where it is mounted; {@link WaitingPageView} says what it can do.
 * @throws ErrandError `OPTION_INVALID`, `NOT_A_TASK`
 * @example
 * const page = mount('/report', waitingPage({ run: report }))
 */
export function waitingPage(view: WaitingPageView): HttpListener {
  return answerWith(waitingPageHandler(view))
}

/**
 * Mounts a listener at a path: it gets what lies there and sees the rest of the path.
 * @example
 * const orders = mount('/async', answerWith(handler))
 */
export function mount(path: string, listener: HttpListener): HttpListener {
  const prefix = path.replace(/\/+$/, '')
  return async (request, response, next) => {
    const { url = '/' } = request
    const rest = url.slice(prefix.length)
    if (!url.startsWith(prefix) || !/^(?:$|[/?])/.test(rest)) {
      next?.()
      return false
    }
    request.originalUrl ??= url
    request.url = rest.startsWith('/') ? rest : `/${rest}`
    const isAnswered = await listener(request, response)
    request.url = url
    if (!isAnswered) next?.()
    return isAnswered
  }
}

async function answer(handler: HttpHandler, request: HttpRequest, response: NodeResponse): Promise<boolean> {
  const { url = '/', originalUrl = url, body } = request
  const facts = { ...describeNodeRequest(request), target: originalUrl, request }
  try {
    return await answerNode(handler, { ...facts, response, place: placeWithin(originalUrl, url), parsedBody: body })
  } catch (error) {
    logFailure(facts, 'failed', error)
    if (response.headersSent) response.destroy()
    else sendFailure(response)
    return true
  }
}

function sendFailure(response: NodeResponse): void {
  response.statusCode = 500
  response.setHeader('content-type', 'application/problem+json')
  response.write(Buffer.from(JSON.stringify({ type: 'about:blank', title: 'Internal Server Error', status: 500 })))
  response.end()
}
