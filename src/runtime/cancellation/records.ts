import { registry } from '../../core/registry.js'
import { UNFINISHED, type Change, type TaskRecord } from '../../store/store.js'
import type { Tracking } from '../tracking/tracking.js'
import { recordedCancel, type CancelNote } from './cancelled.js'

/** Records that are read at once. */
const PAGE = 500

/**
 * What is written down of a cancellation. It is kept for as long as the message may wait: whoever delivers that must find it, or the
 * task would run.
 */
export function cancelChange(tracking: Tracking, { id, task, expiresAt: waitsUntil }: TaskRecord, note: CancelNote): Change {
  const keepMs = task === undefined ? undefined : registry.find(task)?.declaration.options.keepMs
  const expiresAt = waitsUntil === undefined ? undefined : Math.max(waitsUntil, tracking.expiryOf('cancelled', keepMs))
  return { kind: 'cancelled', id, at: tracking.now(), error: recordedCancel(id, note), expiresAt }
}

/** Cancels those that have not ended, and answers the ids of those it cancelled. */
export async function cancelRecords(tracking: Tracking, records: readonly TaskRecord[], note: CancelNote): Promise<readonly string[]> {
  const recorded = await tracking.store.record(records.map((record) => cancelChange(tracking, record, note)))
  return records.filter((_, at) => recorded[at]?.applied === true).map(({ id }) => id)
}

/** Cancels the calls that tasks made, and theirs in turn, as far as they have not ended; answers how many. */
export async function cancelChildren(tracking: Tracking, parents: readonly string[], note: CancelNote): Promise<number> {
  const open = [...parents]
  let count = 0
  for (let parentId = open.pop(); parentId !== undefined; parentId = open.pop()) {
    const cancelled = await cancelChildrenOf(tracking, parentId, note)
    count += cancelled.length
    open.push(...cancelled)
  }
  return count
}

async function cancelChildrenOf(tracking: Tracking, parentId: string, note: CancelNote): Promise<readonly string[]> {
  const cancelled: string[] = []
  let after: string | undefined
  do {
    const { records, next } = await tracking.store.search({ parentId, states: UNFINISHED, limit: PAGE, after })
    cancelled.push(...(await cancelRecords(tracking, records, note)))
    after = next
  } while (after !== undefined)
  return cancelled
}
