import { isTerminal, type TaskState } from '../core/lifecycle.js'
import type { OrderAction } from '../core/order-option.js'
import { noteOf } from '../runtime/cancellation/cancelled.js'
import type { TaskRecord } from '../store/store.js'
import { memoOf, type OrderContext } from './memo.js'

/** `running` from its first run on, also while it waits for another one. */
export type OrderStatus = 'queued' | 'running' | 'completed' | 'failed' | 'cancelled'

/** An order as its client may know it. Times are milliseconds since the epoch. Frozen. */
export interface Order {
  readonly uuid: string
  readonly name: string
  readonly action: OrderAction
  readonly status: OrderStatus
  /** What the task said for people; of one that failed without a word a plain sentence, and never its error. */
  readonly message: string
  /** What `setResourceUrl()` was given; empty before. */
  readonly resourceUrl: string
  readonly context: OrderContext
  /** Percent, 0 before its first report. */
  readonly progress: number
  /** Id of the user who placed it; absent where that is nobody. */
  readonly owner?: string | undefined
  /** The tenant as which they placed it; absent where there is none. */
  readonly tenant?: string | undefined
  readonly createdAt: number
  readonly updatedAt: number
  readonly endedAt?: number | undefined
}

/** What a client is told of a failure for which nobody chose words. */
export const FAILED_MESSAGE = 'The order could not be carried out.'

const STATUSES: Readonly<Record<TaskState, OrderStatus>> = {
  unknown: 'queued',
  scheduled: 'queued',
  queued: 'queued',
  running: 'running',
  retrying: 'running',
  completed: 'completed',
  failed: 'failed',
  cancelled: 'cancelled',
}

/** The order that a task carries out; `undefined` for a task that is no order. */
export function orderOf(record: TaskRecord): Order | undefined {
  const memo = memoOf(record)
  if (memo === undefined) return undefined
  const { name, action, context, owner, tenant } = memo
  const { value, link = '' } = record.progress
  return Object.freeze({
    uuid: record.id,
    name,
    action,
    status: STATUSES[record.state],
    message: messageOf(record),
    resourceUrl: link,
    context,
    progress: value === true ? 100 : Math.max(0, Number(value)),
    ...(owner === undefined ? {} : { owner }),
    ...(tenant === undefined ? {} : { tenant }),
    createdAt: record.createdAt,
    updatedAt: record.changedAt,
    ...(record.endedAt === undefined ? {} : { endedAt: record.endedAt }),
  })
}

/** Whether nothing changes any more. */
export const hasEnded = ({ status }: Order): boolean => isTerminal(status)

function messageOf({ state, progress, error }: TaskRecord): string {
  if (state === 'cancelled') return noteOf(error).reason ?? progress.message ?? ''
  return progress.message ?? (state === 'failed' ? FAILED_MESSAGE : '')
}
