import type { HttpHandler } from '../http/handler.js'
import { ordersHandler, type OrdersOptions } from '../http/orders/index.js'
import { waitingPageHandler, type WaitingPageView } from '../http/page/index.js'
import { describeExpressRequest, type ExpressRequest } from './middleware.js'
import { answerNode } from './node-exchange.js'
import type { NodeReadable } from './node-request.js'
import type { NodeResponse } from './node-response.js'
import { placeWithin } from './web-request.js'

/** A middleware that answers what is its own, as Express 4 and 5 take it. */
export type AnsweringMiddleware = (
  request: ExpressRequest & NodeReadable,
  response: NodeResponse,
  next: (error?: unknown) => void,
) => Promise<void>

/**
 * Makes a middleware of a handler; mount it after `requestContext()`. What is not its own goes on to the application, and so does
 * what it throws.
 * @example
 * app.use('/async', answerWith(handler))
 */
export function answerWith(handler: HttpHandler): AnsweringMiddleware {
  return async (request, response, next) => {
    const facts = describeExpressRequest(request)
    const place = placeWithin(facts.target ?? '/', request.url ?? '/')
    let isAnswered: boolean
    try {
      isAnswered = await answerNode(handler, { ...facts, request, response, place, parsedBody: request.body })
    } catch (error) {
      // Express 4 does not look at what a middleware rejects with
      return next(error)
    }
    if (!isAnswered) next()
  }
}

/**
 * The addresses of orders below the path where it is mounted: `POST`, `PUT` and `DELETE` of `<name>/order` place one, `orders/<uuid>` is
 * where it is followed and cancelled, `orders` lists those of the caller, and `openapi.json` describes all of it.
 * @throws ErrandError `OPTION_INVALID`
 * @example
 * app.use('/async', orders())
 */
export function orders(options?: OrdersOptions): AnsweringMiddleware {
  return answerWith(ordersHandler(options))
}

/**
 * A page behind which a task does the work, at the path where it is mounted; {@link WaitingPageView} says what it can do.
 * @throws ErrandError `OPTION_INVALID`, `NOT_A_TASK`
 * @example
 * app.use('/report', waitingPage({ run: report }))
 */
export function waitingPage(view: WaitingPageView): AnsweringMiddleware {
  return answerWith(waitingPageHandler(view))
}
