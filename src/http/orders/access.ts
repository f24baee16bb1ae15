import { context } from '../../core/context.js'
import { ordersApp } from '../../orders/app.js'
import { isOrderToken } from '../../orders/links.js'
import type { Order } from '../../orders/order.js'
import { ownerOf } from '../../orders/owner.js'
import { findOrder } from '../../orders/place.js'
import { tenantOf } from '../../runtime/tracking/announcement.js'
import { refusal } from '../problem.js'
import type { OrdersExchange } from './exchange.js'

/** Ids of orders; what cannot be one is not looked for. */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/** The order that is asked for, where the asking one may know of it. @throws Refusal 404 in every other case, so that nobody learns what there is */
export async function knownOrder(exchange: OrdersExchange, uuid: string): Promise<Order> {
  const order = UUID.test(uuid) ? await findOrder(uuid) : undefined
  if (order !== undefined && (await mayKnow(exchange, order))) return order
  throw refusal({ status: 404, detail: 'There is no such order.' })
}

async function mayKnow({ url, options }: OrdersExchange, { uuid, owner, tenant }: Order): Promise<boolean> {
  if (owner !== undefined && owner === ownerOf(context()) && tenant === tenantOf(context())) return true
  const token = url.searchParams.get('token')
  if (token !== null && isOrderToken((await ordersApp()).runtime, uuid, token)) return true
  return options.isAdmin(context())
}
