import { absoluteResourceUrl } from '../../orders/what-is-told.js'
import { hasEnded, type Order } from '../../orders/order.js'
import { representationOf } from '../../orders/representation.js'
import type { Preferences } from './prefer.js'
import { entityTag, isKnownTo } from './entity-tag.js'
import { addressOf, type OrdersExchange } from './exchange.js'

/** 202 until it has ended; then 201 where something was created, and 200 for everything else. */
export function statusOf(order: Order): number {
  if (!hasEnded(order)) return 202
  return order.status === 'completed' && order.action === 'create' ? 201 : 200
}

/** What is shown, and beside what. */
export interface Shown {
  readonly order: Order
  readonly status: number
  readonly preferences: Preferences
  /** The value of the task, where it has one that JSON can show. */
  readonly result?: unknown
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Whether the answer may lead to what was made. @defaultValue true */
  readonly canRedirect?: boolean | undefined
}

/** The answer with the representation of an order. */
export function showOrder({ request, url, mount, options }: OrdersExchange, { order, status, preferences, result, headers = {}, canRedirect = true }: Shown): Response {
  const resource = absoluteResourceUrl(order.resourceUrl, url.origin)
  if (canRedirect && order.status === 'completed' && resource !== '' && (options.redirect || preferences.isRedirected)) {
    const applied = preferences.isRedirected ? { 'preference-applied': 'redirect' } : {}
    return new Response(null, { status: 303, headers: { ...headers, ...applied, location: resource } })
  }
  const body = JSON.stringify({ ...representationOf(order, url.origin), ...(result === undefined ? {} : { result }) })
  const etag = entityTag(body)
  const about = { ...headers, etag, ...(hasEnded(order) ? {} : { 'retry-after': String(options.retryAfterSeconds) }) }
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  if (isRead && isKnownTo(request.headers.get('if-none-match'), etag)) return new Response(null, { status: 304, headers: about })
  const place = isRead ? {} : { 'content-location': addressOf({ mount }, order.uuid) }
  return new Response(body, { status, headers: { ...about, ...place, 'content-type': 'application/json' } })
}
