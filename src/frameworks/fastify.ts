export {
  answerWith,
  orders,
  requestContext,
  waitingPage,
  type AnsweredRequest,
  type AnsweringInstance,
  type AnsweringPlugin,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type RequestPlugin,
} from './plugin.js'
export type { HttpExchange, HttpHandler } from '../http/handler.js'
export type { OrdersOptions } from '../http/orders/index.js'
export type { WaitingPageView } from '../http/page/index.js'
export type { ExtraFields, RequestContextOptions } from './capture.js'
export type { NodeResponse } from './node-response.js'
export type { Emitter, NodeReadable, NodeRequest } from './node-request.js'
