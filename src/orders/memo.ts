import type { OrderAction } from '../core/order-option.js'
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
  /** Tells whether two placements ask for the same. */
  readonly fingerprint?: string | undefined
}

export const encodeMemo = (memo: OrderMemo): string => JSON.stringify({ order: memo })

/** `undefined` for a task that is no order. */
export function memoOf({ memo }: Pick<TaskRecord, 'memo'>): OrderMemo | undefined {
  if (memo === undefined) return undefined
  // nobody else keeps something with a call
  return (JSON.parse(memo) as { readonly order?: OrderMemo }).order
}
