export { requestContext, type ExpressRequest, type RequestMiddleware } from './middleware.js'
export type { ExtraFields, RequestContextOptions } from './capture.js'
export type { Emitter, NodeRequest } from './node-request.js'
