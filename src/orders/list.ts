import { keptId } from '../runtime/failures.js'
import { ordersApp } from './app.js'
import { orderOf, type Order } from './order.js'

/** Whose orders, and which of them. */
export interface OrderSearch {
  readonly owner: string
  /** Those placed as this tenant, `null` for none. @defaultValue whatever the tenant */
  readonly tenant?: string | null | undefined
  /** Orders on a page, 500 at most. @defaultValue 50 */
  readonly limit?: number | undefined
  /** `next` of the page before. */
  readonly after?: string | undefined
}

export interface OrderPage {
  /** The last placed first. */
  readonly orders: readonly Order[]
  readonly next?: string | undefined
}

const DEFAULT_LIMIT = 50
/** Other tasks of the same user stand between the orders; after so many pages the client is asked to come again. */
const MOST_PAGES = 20

/** @throws ErrandError `OPTION_INVALID` for an `after` that is none, `STORE_UNREACHABLE` */
export async function listOrders({ owner, tenant, limit = DEFAULT_LIMIT, after }: OrderSearch): Promise<OrderPage> {
  const { store } = (await ordersApp()).tracking
  const orders: Order[] = []
  let next = after
  for (let page = 0; page < MOST_PAGES; page++) {
    const found = await store.search({ owner: keptId(owner), limit: limit - orders.length, after: next })
    orders.push(...found.records.flatMap((record) => orderOf(record) ?? []).filter((order) => order.owner === owner && (tenant === undefined || order.tenant === (tenant ?? undefined))))
    next = found.next
    if (next === undefined || orders.length >= limit) break
  }
  return next === undefined ? { orders } : { orders, next }
}
