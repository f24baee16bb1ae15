import type { HttpExchange } from '../handler.js'
import type { ResolvedOrdersOptions } from './options.js'

/** A request to one of the addresses of orders. */
export interface OrdersExchange extends HttpExchange {
  readonly options: ResolvedOrdersOptions
  readonly url: URL
}

/** Where an order is followed. */
export const addressOf = ({ mount }: Pick<HttpExchange, 'mount'>, uuid: string): string => `${mount}/orders/${uuid}`

/** An answer in JSON. */
export function jsonResponse(value: unknown, status: number, headers: Readonly<Record<string, string>> = {}): Response {
  return new Response(JSON.stringify(value), { status, headers: { ...headers, 'content-type': 'application/json' } })
}
