import { context } from '../../core/context.js'
import type { OrderAction } from '../../core/order-option.js'
import { ErrandError } from '../../errors.js'
import { ordersApp } from '../../orders/app.js'
import { fingerprintOf } from '../../orders/fingerprint.js'
import { orderKinds, type OrderKind } from '../../orders/handlers.js'
import { orderToken } from '../../orders/links.js'
import { hasEnded, type Order } from '../../orders/order.js'
import { ownerOf } from '../../orders/owner.js'
import { placeOrder } from '../../orders/place.js'
import { resultOf } from '../../orders/result.js'
import { waitForOrder } from '../../orders/wait.js'
import { refusal } from '../problem.js'
import { contextOf, readBody, refusedContext, type JsonObject } from './body.js'
import { addressOf, type OrdersExchange } from './exchange.js'
import { readIdempotencyKey } from './idempotency-key.js'
import { readPrefer, type Preferences } from './prefer.js'
import { showOrder } from './representation.js'

const ACTIONS: Readonly<Record<string, OrderAction>> = { POST: 'create', PUT: 'update', DELETE: 'destroy' }

/** Answers a request to place an order. @throws Refusal, and what `placeOrder()` fails with */
export async function answerPlacement(exchange: OrdersExchange, name: string): Promise<Response> {
  const kind = kindOf(exchange.request.method, name)
  const { anonymous, bodyLimit } = exchange.options
  if (ownerOf(context()) === undefined && anonymous === 'refuse') throw refusal({ status: 403, detail: 'Only users who are signed in can place orders.' })
  const key = readIdempotencyKey(exchange.request.headers.get('idempotency-key'))
  const body = await readBody(exchange, bodyLimit)
  const given = contextOf(body)
  refuseInvalid(kind, given)
  const callback = body['callback'] === undefined ? undefined : { url: body['callback'], origin: exchange.url.origin }
  const fingerprint = key === undefined ? undefined : fingerprintOf(body)
  const placed = await placeOrder({ name, action: kind.action, context: given, key: scopedKey(key), fingerprint, callback })
  if (placed.kind === 'conflict') throw refusal({ status: 422, detail: 'This Idempotency-Key was used for an order that asks for something else.' })
  return answerPlaced(exchange, placed.uuid)
}

function kindOf(method: string, name: string): OrderKind {
  const kinds = orderKinds().filter((kind) => kind.name === name)
  if (kinds.length === 0) throw refusal({ status: 404, detail: 'There are no orders of that name.' })
  const kind = kinds.find(({ action }) => action === (Object.hasOwn(ACTIONS, method) ? ACTIONS[method] : undefined))
  if (kind !== undefined) return kind
  const allow = Object.entries(ACTIONS).flatMap(([allowed, action]) => (kinds.some((one) => one.action === action) ? [allowed] : []))
  throw refusal({ status: 405, detail: 'Orders of that name are not placed by this method.', headers: { allow: allow.join(', ') } })
}

function refuseInvalid({ validate }: OrderKind, given: JsonObject): void {
  const reasons = [validate?.(given) ?? []].flat()
  if (reasons.length > 0) throw refusedContext(...reasons)
}

async function answerPlaced(exchange: OrdersExchange, uuid: string): Promise<Response> {
  const { request, options } = exchange
  const preferences = readPrefer(request.headers.get('prefer'))
  const location = await locationOf(exchange, uuid)
  const { isAsync, waitSeconds } = preferences
  if (!isAsync && waitSeconds === undefined) return new Response(null, { status: 302, headers: { location } })
  const ms = waitSeconds === undefined ? 0 : Math.min(waitSeconds * 1_000, options.longestWaitMs)
  const order = await waitForOrder(uuid, { ms, signal: request.signal }).catch(unknownForNow)
  if (order === undefined) throw refusal({ status: 503, detail: 'The order was placed, and nothing is known of it for now.', headers: { location, 'retry-after': String(options.retryAfterSeconds) } })
  return showPlaced(exchange, { order, preferences, location })
}

/** It was placed whatever the store says afterwards: who was told otherwise would place it again. */
function unknownForNow(error: unknown): undefined {
  if (error instanceof ErrandError && error.code.startsWith('STORE_')) return undefined
  throw error
}

async function showPlaced(exchange: OrdersExchange, { order, preferences, location }: { order: Order; preferences: Preferences; location: string }): Promise<Response> {
  const { isAsync, waitSeconds } = preferences
  const isDone = hasEnded(order)
  const applied = [...(isAsync && !isDone ? ['respond-async'] : []), ...(waitSeconds === undefined ? [] : [`wait=${waitSeconds}`])].join(', ')
  const headers = { location, ...(applied === '' ? {} : { 'preference-applied': applied }) }
  return showOrder(exchange, { order, status: isDone ? 200 : 202, preferences, headers, result: isDone ? await resultOf(order.uuid) : undefined })
}

/** Nobody finds an order that nobody placed without the signature in its address. */
async function locationOf({ mount, options }: OrdersExchange, uuid: string): Promise<string> {
  const address = addressOf({ mount }, uuid)
  if (ownerOf(context()) !== undefined) return address
  return `${address}?token=${orderToken((await ordersApp()).runtime, uuid, options.linkExpires)}`
}

/** Of callers that nobody can tell apart, those at one address have their keys in common. */
function scopedKey(key: string | undefined): string | undefined {
  if (key === undefined || ownerOf(context()) !== undefined) return key
  const { clientAddress } = context()
  // it would be a key for everybody, and give one the order of another
  if (clientAddress === undefined) throw refusal({ status: 400, detail: 'Idempotency-Key is for users who are signed in here: nothing tells other callers apart.' })
  return JSON.stringify([clientAddress, key])
}
