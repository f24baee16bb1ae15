import { createHash } from 'node:crypto'
import { newId } from '../core/clock.js'
import { encodeArguments } from '../core/codec/encode.js'
import { context as currentContext, currentScope } from '../core/context.js'
import type { FollowUp } from '../core/follow-up.js'
import type { OrderAction } from '../core/order-option.js'
import { ErrandError } from '../errors.js'
import { encodeCall, sendKnown, type EncodedCall, type KnownCall } from '../runtime/dispatch.js'
import { tenantOf } from '../runtime/tracking/announcement.js'
import { UNFINISHED, type TaskRecord } from '../store/store.js'
import { ordersApp, type OrdersApp } from './app.js'
import { acceptCallback, callbackAfter } from './callback/callback-task.js'
import { whilePlacing } from './current-order.js'
import { handlersOf, type Handler } from './handlers.js'
import { encodeMemo, memoOf, type OrderContext, type OrderMemo } from './memo.js'
import { orderOf, type Order } from './order.js'
import { ownerOf } from './owner.js'
import { isRunHere, runHere } from './run-here.js'

/** What is asked for. */
export interface Placement {
  readonly name: string
  readonly action: OrderAction
  /** Goes to the task as it is. */
  readonly context: OrderContext
  /** Placements of one caller with the same key, name and action are one order. */
  readonly key?: string | undefined
  /** Tells whether two placements with one key ask for the same. */
  readonly fingerprint?: string | undefined
  /** What is called when the order has ended, and where its client reached this service. @defaultValue nothing */
  readonly callback?: { readonly url: unknown; readonly origin: string } | undefined
}

/** What became of a placement. */
export type Placed =
  | { readonly kind: 'placed'; readonly uuid: string; /** Whether this one placed it. */ readonly isNew: boolean }
  /** Its key stands for an order that asks for something else. */
  | { readonly kind: 'conflict' }

/** How a handler is called. */
interface Sending {
  readonly app: OrdersApp
  readonly uuid: string
  readonly memo: OrderMemo
}

/**
 * Places an order: calls the first handler of `queued` under the id of the order, which is chosen here, and then the others.
 * @throws ErrandError `OPTION_INVALID` where nothing handles such orders, `CALLBACK_REFUSED`, and what a
 * call fails with; there is no order then
 */
export async function placeOrder(placement: Placement): Promise<Placed> {
  const { name, action, context, fingerprint } = placement
  const [own, ...others] = handlersOf('queued', name, action)
  if (own === undefined) throw new ErrandError('OPTION_INVALID', `Nothing handles orders "${name}" with the action ${action}. Give a task { order: '${name}' }, or call orders.register().`)
  const app = await ordersApp()
  const placing = currentContext()
  const [owner, tenant] = [ownerOf(placing), tenantOf(placing)]
  const person = { ...(owner === undefined ? {} : { owner }), ...(tenant === undefined ? {} : { tenant }) }
  const memo: OrderMemo = { name, action, context, ...person, ...(fingerprint === undefined ? {} : { fingerprint }) }
  const sending = { app, uuid: newId(), memo }
  const joined = await placeOwn(sending, own, placement)
  if (joined !== undefined) return isSame(joined, fingerprint) ? { kind: 'placed', uuid: joined.id, isNew: false } : { kind: 'conflict' }
  for (const other of others) await sendBeside(sending, other)
  return { kind: 'placed', uuid: sending.uuid, isNew: true }
}

/** Calls a handler that carries nothing out, as a task that belongs to the order. One that cannot be called hides no other. */
export async function sendBeside({ app, uuid, memo }: Sending, { task, options }: Handler): Promise<void> {
  const { runtime } = app
  try {
    const call = encodeCall({ task, self: undefined, args: [uuid, memo.context] }, currentScope())
    const known = { id: newId(), options, parentId: uuid }
    if (isRunHere()) await runHere(runtime, { task, call, known })
    else await sendKnown(runtime, task, { ...call, within: undefined }, known)
  } catch (error) {
    runtime.log.error(`${task.name} could not be called for the order ${uuid}: ${error instanceof Error ? error.message : 'unknown'}`)
  }
}

/** The handlers of its end travel with the order: none is lost with a process. */
function handlersAfter({ uuid, memo }: Sending): readonly FollowUp[] {
  return (['completed', 'failed'] as const).flatMap((on) =>
    handlersOf(on, memo.name, memo.action).map(({ task, options }) => {
      const args = encodeArguments([uuid, memo.context], `Cannot send ${task.name}`)
      return { on, id: newId(), task: task.name, args, options, next: [] }
    }),
  )
}

/** Answers the order that the key stands for instead, if it does. */
async function placeOwn(sending: Sending, { task, options }: Handler, { key, callback }: Placement): Promise<TaskRecord | undefined> {
  const { app, uuid, memo } = sending
  const after = callback === undefined ? [] : [callbackAfter(acceptCallback(app.runtime, callback.url), { uuid, origin: callback.origin }, options.queue)]
  const call = whilePlacing(uuid, memo, () => encodeCall({ task, self: undefined, args: [uuid, memo.context] }, currentScope()))
  const known = { id: uuid, options, memo: encodeMemo(memo), next: [...handlersAfter(sending), ...after], once: { key: storedKey(memo, key ?? uuid), join: KEPT } }
  const joined = await send(app, { task, call: { ...call, within: undefined }, known })
  if (joined === undefined || !wasRefused(joined)) return joined
  // the broker was away then: this one is placed instead of it
  return send(app, { task, call: { ...call, within: undefined }, known: { ...known, once: { ...known.once, join: NOT_FAILED } } })
}

interface Sent {
  readonly task: Handler['task']
  readonly call: EncodedCall
  readonly known: KnownCall
}

function send({ runtime }: OrdersApp, sent: Sent): Promise<TaskRecord | undefined> {
  return isRunHere() ? runHere(runtime, sent) : sendKnown(runtime, sent.task, sent.call, sent.known)
}

const NOT_FAILED = [...UNFINISHED, 'completed', 'cancelled'] as const
const KEPT = [...NOT_FAILED, 'failed'] as const

/** Nobody else's keys meet this one, and what a client wrote stands nowhere. */
function storedKey({ name, action, owner, tenant }: OrderMemo, key: string): string {
  return `order:${createHash('sha256').update(JSON.stringify([name, action, owner ?? null, tenant ?? null, key])).digest('base64url')}`
}

/** Whether it never reached the broker. */
function wasRefused({ state, runs, error }: TaskRecord): boolean {
  return state === 'failed' && runs.length === 0 && /^(?:BROKER|PUBLISH|QUEUE)_/.test(error?.code ?? '')
}

const isSame = (record: TaskRecord, fingerprint: string | undefined): boolean => memoOf(record)?.fingerprint === fingerprint

/** An order by its id, whoever placed it; `undefined` where there is none, or not any more. @throws ErrandError `STORE_UNREACHABLE` */
export async function findOrder(uuid: string): Promise<Order | undefined> {
  const { tracking } = await ordersApp()
  const record = await tracking.store.find({ id: uuid })
  return record === undefined ? undefined : orderOf(record)
}
