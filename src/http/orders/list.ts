import { context } from '../../core/context.js'
import { ErrandError } from '../../errors.js'
import { listOrders, type OrderPage, type OrderSearch } from '../../orders/list.js'
import { ownerOf } from '../../orders/owner.js'
import { tenantOf } from '../../runtime/tracking/announcement.js'
import { refusal } from '../problem.js'
import { jsonResponse, type OrdersExchange } from './exchange.js'
import { representationOf } from '../../orders/representation.js'

const DEFAULT_LIMIT = 20
const HIGHEST_LIMIT = 100

/** Answers a request for the orders of the asking one. @throws Refusal, and what the store fails with */
export async function answerList(exchange: OrdersExchange): Promise<Response> {
  const { request, url, mount } = exchange
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    throw refusal({ status: 405, detail: 'The list of orders is read, and nothing else.', headers: { allow: 'GET, HEAD' } })
  }
  const limit = limitOf(url.searchParams.get('limit'))
  const owner = await ownerAskedFor(exchange)
  // an administrator sees those of every tenant
  const tenant = url.searchParams.has('owner') ? undefined : (tenantOf(context()) ?? null)
  const { orders, next } = owner === undefined ? { orders: [] } : await pageOf({ owner, tenant, limit }, url.searchParams.get('after'))
  const more = next === undefined ? undefined : `${mount}/orders?${nextQuery(url, next)}`
  const body = { orders: orders.map((order) => representationOf(order, url.origin)), next: more ?? null }
  return jsonResponse(body, 200, more === undefined ? {} : { link: `<${more}>; rel="next"` })
}

/** Nobody has no orders. */
async function ownerAskedFor({ url, options }: OrdersExchange): Promise<string | undefined> {
  const own = ownerOf(context())
  const asked = url.searchParams.get('owner')
  if (asked === null) return own
  if (asked !== '' && (await options.isAdmin(context()))) return asked
  throw refusal({ status: 404, detail: 'There are no such orders.' })
}

async function pageOf(search: OrderSearch, after: string | null): Promise<OrderPage & { readonly next?: string | undefined }> {
  try {
    return await listOrders({ ...search, ...(after === null ? {} : { after }) })
  } catch (error) {
    if (!(error instanceof ErrandError) || error.code !== 'OPTION_INVALID' || after === null) throw error
    throw refusal({ status: 400, detail: 'after must be taken from the address of the next page, unchanged.' })
  }
}

function limitOf(text: string | null): number {
  if (text === null) return DEFAULT_LIMIT
  const limit = /^[0-9]{1,3}$/.test(text) ? Number(text) : 0
  if (limit >= 1 && limit <= HIGHEST_LIMIT) return limit
  throw refusal({ status: 400, detail: `limit must be a whole number from 1 to ${HIGHEST_LIMIT}.` })
}

function nextQuery(url: URL, next: string): string {
  const query = new URLSearchParams(url.searchParams)
  query.set('after', next)
  return query.toString()
}
