import type { OrderAction } from '../core/order-option.js'
import { ErrandError } from '../errors.js'
import type { TaskRecord } from '../store/store.js'

/** The JSON object that a client gives with an order. */
export type OrderContext = Readonly<Record<string, unknown>>

/** What is kept with the task of an order from its beginning. */
export interface OrderMemo {
  readonly name: string
  readonly action: OrderAction
  readonly context: OrderContext
  /** The id of the user who placed it, whole; absent where that is nobody. */
  readonly owner?: string | undefined
  /** The tenant of that context, where the application has any. */
  readonly tenant?: string | undefined
  /** Tells whether two placements ask for the same. */
  readonly fingerprint?: string | undefined
}

/** @throws ErrandError `VALUE_UNSERIALIZABLE` for a context that JSON has no form for */
export function encodeMemo(memo: OrderMemo): string {
  try {
    return JSON.stringify({ order: memo })
  } catch (cause) {
    throw new ErrandError('VALUE_UNSERIALIZABLE', `Cannot place an order "${memo.name}": JSON has no form for its context. Give it an object of plain values.`, { cause })
  }
}

/** `undefined` for a task that is no order. */
export function memoOf({ memo }: Pick<TaskRecord, 'memo'>): OrderMemo | undefined {
  if (memo === undefined) return undefined
  // nobody else keeps something with a call
  return (JSON.parse(memo) as { readonly order?: OrderMemo }).order
}
