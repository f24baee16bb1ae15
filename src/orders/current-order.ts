import { AsyncLocalStorage } from 'node:async_hooks'
import type { Carrier } from '../core/carrier.js'
import { currentScope } from '../core/context.js'
import type { OrderAction } from '../core/order-option.js'
import { processState } from '../core/process-state.js'
import { ErrandError } from '../errors.js'
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

interface Flow {
  readonly uuid: string
  readonly memo: OrderMemo
  /** The call of the order is being made. */
  readonly isPlacing: boolean
}

const flows = processState('order-flow', () => new AsyncLocalStorage<Flow>())

/** Brings the order to its run; of every other call it carries nothing. */
export const orderCarrier: Carrier<Omit<Flow, 'isPlacing'>> = {
  name: 'errand:order',
  capture() {
    const flow = flows.getStore()
    return flow?.isPlacing === true ? { uuid: flow.uuid, memo: flow.memo } : undefined
  },
  restore: (flow, next) => flows.run({ ...flow, isPlacing: false }, next),
}

/** Runs `fn`, which makes the call of the order. */
export const whilePlacing = <T>(uuid: string, memo: OrderMemo, fn: () => T): T => flows.run({ uuid, memo, isPlacing: true }, fn)

/** What the flow of a body knows of the order that its task carries out; `undefined` in every other flow, also in that of a call it made. */
export function orderOfFlow(): OrderMemo | undefined {
  const flow = flows.getStore()
  return flow !== undefined && !flow.isPlacing && flow.uuid === currentScope()?.task?.id ? flow.memo : undefined
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
