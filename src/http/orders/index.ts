export { ordersHandler } from './handler.js'
export type { OrdersOptions } from './options.js'
export type { HttpExchange, HttpHandler } from '../handler.js'
