import type { HttpExchange, HttpHandler } from '../handler.js'
import { problemResponse, refusal } from '../problem.js'
import type { OrdersExchange } from './exchange.js'
import { problemOf } from './failure.js'
import { answerOrder } from './follow.js'
import { answerList } from './list.js'
import { openApiDocument } from './openapi.js'
import { resolveOrdersOptions, type OrdersOptions } from './options.js'
import { refuseForeignPage } from './origin.js'
import { answerPlacement } from './place.js'
import { jsonResponse } from './exchange.js'

/**
 * Serves orders below its mount: `POST`, `PUT` and `DELETE` of `/<name>/order` place one, `/orders/<uuid>` is where it is followed and
 * cancelled, `/orders` lists those of the caller, and `/openapi.json` describes all of it.
 * @throws ErrandError `OPTION_INVALID`
 */
export function ordersHandler(given: OrdersOptions = {}): HttpHandler {
  const options = resolveOrdersOptions(given)
  return async (exchange) => {
    const answer = routeOf(exchange.path)
    if (answer === undefined) return undefined
    return finished(exchange, await answerOrRefuse({ ...exchange, options, url: new URL(exchange.request.url) }, answer))
  }
}

type Answer = (exchange: OrdersExchange) => Promise<Response>

/** What answers a path; `undefined` where that is not one of orders. */
function routeOf(path: string): Answer | undefined {
  const parts = path.replace(/^\//, '').replace(/\/$/, '').split('/')
  const [first = '', second] = parts
  if (parts.length === 1) {
    if (first === 'orders') return answerList
    return first === 'openapi.json' ? answerDocument : undefined
  }
  if (parts.length > 2 || second === undefined) return undefined
  if (first === 'orders') return (exchange) => answerOrder(exchange, decoded(second))
  return second === 'order' ? (exchange) => answerPlacement(exchange, decoded(first)) : undefined
}

async function answerOrRefuse(exchange: OrdersExchange, answer: Answer): Promise<Response> {
  try {
    if (!['GET', 'HEAD', 'OPTIONS'].includes(exchange.request.method)) refuseForeignPage(exchange.request, exchange.options.allowedOrigins)
    return await answer(exchange)
  } catch (error) {
    return problemResponse(problemOf(error))
  }
}

async function answerDocument({ request, mount, url }: OrdersExchange): Promise<Response> {
  if (request.method === 'GET' || request.method === 'HEAD') return jsonResponse(openApiDocument(`${url.origin}${mount}`), 200)
  throw refusal({ status: 405, detail: 'The description is read, and nothing else.', headers: { allow: 'GET, HEAD' } })
}

/** What holds for every answer: nobody keeps it, and who asks and how decides what it is. */
function finished({ request }: HttpExchange, response: Response): Response {
  const headers = new Headers(response.headers)
  headers.set('cache-control', 'no-store')
  headers.set('vary', 'Authorization, Cookie, Origin, Prefer')
  headers.set('x-content-type-options', 'nosniff')
  return new Response(request.method === 'HEAD' ? null : response.body, { status: response.status, headers })
}

/** Nothing has a name that cannot be read. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return ''
  }
}
