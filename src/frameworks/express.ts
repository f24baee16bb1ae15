import type { HttpHandler } from '../http/handler.js'
import { describeExpressRequest, type ExpressRequest } from './middleware.js'
import { answerNode } from './node-exchange.js'
import type { NodeReadable } from './node-request.js'
import type { NodeResponse } from './node-response.js'
import { placeWithin } from './web-request.js'

export type { HttpExchange, HttpHandler } from '../http/handler.js'
export { requestContext, type ExpressRequest, type RequestMiddleware } from './middleware.js'
export type { ExtraFields, RequestContextOptions } from './capture.js'
export type { Emitter, NodeReadable, NodeRequest } from './node-request.js'
export type { NodeResponse } from './node-response.js'

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
