import type { Carrier } from '../core/carrier.js'
import { currentScope, runInScope } from '../core/context.js'
import type { OrderAction } from '../core/order-option.js'
import { ErrandError } from '../errors.js'
import { attachedTo } from '../runtime/attached.js'
import { setProgress } from '../runtime/progress.js'
import type { OrderContext, OrderMemo } from './memo.js'
import { checkedMessage, checkedResourceUrl } from './what-is-told.js'

/** The order that the running task carries out. What it says is seen by the client at once, and kept when the task has ended. */
export interface CurrentOrder {
  readonly uuid: string
  readonly name: string
  readonly action: OrderAction
  /** What the client gave. */
  readonly context: OrderContext
  /** Says something for the client to read; 2,000 characters at most. @throws ErrandError `OPTION_INVALID` */
  setMessage(text: string): void
  /**
   * Says where what the order makes is to be found: a path of the application, which the client gets with the host of its own
   * request, or an `http:` or `https:` URL; an empty text takes that back. @throws ErrandError `OPTION_INVALID`
   */
  setResourceUrl(url: string): void
  /** See `setProgress()`. */
  setProgress(value: number | true, data?: unknown): void
}

/** An order, and the task that carries it out. */
interface Carried {
  readonly uuid: string
  readonly memo: OrderMemo
}

const CURRENT = Symbol.for('errand/order')
/** The order whose call is being encoded. */
let placed: Carried | undefined

/** Brings the order to its run; of every other call it carries nothing. */
export const orderCarrier: Carrier<Carried> = {
  name: 'errand:order',
  capture: () => placed,
  // of the flow in which a message arrives nothing goes on
  restore: (order, next) => runInScope({ context: undefined, attached: new Map([[CURRENT, order]]) }, next),
}

/** Runs `encode`, which captures the call of the order before it returns. */
export function whilePlacing<T>(uuid: string, memo: OrderMemo, encode: () => T): T {
  placed = { uuid, memo }
  try {
    return encode()
  } finally {
    placed = undefined
  }
}

/** What the flow of a body knows of the order that its task carries out; `undefined` in every other flow, also in that of a call it made. */
export function orderOfFlow(): OrderMemo | undefined {
  // nothing else is attached under that name
  const order = attachedTo(CURRENT) as Carried | undefined
  return order?.uuid === currentScope()?.task?.id ? order?.memo : undefined
}

/**
 * The order that the running task carries out.
 * @throws ErrandError `NOT_IN_TASK` outside a task, and in one that was not called by an order
 */
export function currentOrder(): CurrentOrder {
  const memo = orderOfFlow()
  const task = currentScope()?.task
  if (memo === undefined || task === undefined) {
    throw new ErrandError('NOT_IN_TASK', 'currentOrder() was called outside the task of an order. Only the first handler of "queued" carries an order out; the others get its id.')
  }
  const { name, action, context } = memo
  return Object.freeze({
    uuid: task.id,
    name,
    action,
    context,
    setMessage: (text: string) => task.say?.({ message: checkedMessage(text) }),
    setResourceUrl: (url: string) => task.say?.({ link: checkedResourceUrl(url) }),
    setProgress,
  })
}
