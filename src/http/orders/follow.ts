import { cancelTask } from '../../runtime/cancellation/cancel.js'
import { ordersApp } from '../../orders/app.js'
import { hasEnded, type Order } from '../../orders/order.js'
import { findOrder } from '../../orders/place.js'
import { resultOf } from '../../orders/result.js'
import { waitForOrder } from '../../orders/wait.js'
import { refusal } from '../problem.js'
import { knownOrder } from './access.js'
import type { OrdersExchange } from './exchange.js'
import { readPrefer } from './prefer.js'
import { showOrder, statusOf } from './representation.js'

const ALLOW = 'GET, HEAD, DELETE'

/** Answers a request for one order. @throws Refusal, and what the store fails with */
export async function answerOrder(exchange: OrdersExchange, uuid: string): Promise<Response> {
  switch (exchange.request.method) {
    case 'GET':
    case 'HEAD':
      return show(exchange, uuid)
    case 'DELETE':
      return cancel(exchange, uuid)
    default:
      throw refusal({ status: 405, detail: 'Orders are read and cancelled, and nothing else.', headers: { allow: ALLOW } })
  }
}

async function show(exchange: OrdersExchange, uuid: string): Promise<Response> {
  const { request, options } = exchange
  const known = await knownOrder(exchange, uuid)
  const preferences = readPrefer(request.headers.get('prefer'))
  const { waitSeconds } = preferences
  const isWaiting = waitSeconds !== undefined && !hasEnded(known)
  const patience = { ms: Math.min((waitSeconds ?? 0) * 1_000, options.longestWaitMs), signal: request.signal }
  const order = isWaiting ? ((await waitForOrder(uuid, patience)) ?? known) : known
  const headers = waitSeconds === undefined ? {} : { 'preference-applied': `wait=${waitSeconds}` }
  return showOrder(exchange, { order, status: statusOf(order), preferences, result: hasEnded(order) ? await resultOf(uuid) : undefined, headers })
}

/**
 * A client that follows redirects repeats `DELETE` at the address that placing an order by `DELETE` answered, and would cancel what it
 * has just placed.
 */
function refuseFollowing({ url }: OrdersExchange, { action }: Order): void {
  if (action !== 'destroy' || url.searchParams.has('cancel')) return
  throw refusal({ status: 409, detail: 'This order was placed by DELETE, which clients repeat when they follow redirects. Ask for it by GET, or cancel it by DELETE with the query "cancel".' })
}

/** The order as it stands after that: one that had ended stays as it was. */
async function cancel(exchange: OrdersExchange, uuid: string): Promise<Response> {
  const known = await knownOrder(exchange, uuid)
  refuseFollowing(exchange, known)
  await cancelTask((await ordersApp()).tracking, uuid)
  const order = (await findOrder(uuid)) ?? known
  const preferences = { isAsync: false, waitSeconds: undefined, isRedirected: false }
  return showOrder(exchange, { order, status: 200, preferences, result: await resultOf(uuid), canRedirect: false })
}
