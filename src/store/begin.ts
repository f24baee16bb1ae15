import type { TaskState } from '../core/lifecycle.js'
import { applyChange, stateAt } from './apply.js'
import type { Announced, Announcement, Change, Recorded, TaskRecord } from './store.js'

/** The announcement of a task that a key is to stand for. */
export function announcing(key: string, announcement: Announcement): Announced {
  return { kind: 'announced', key, ...announcement }
}

/** Whether a call joins the task that its key stands for. */
export function joins(record: TaskRecord | undefined, join: readonly TaskState[], now: number): record is TaskRecord {
  return record !== undefined && !isExpired(record, now) && !isOverdue(record, now) && join.includes(stateAt(record, now))
}

/** Whether nothing is known of a task any more. */
export function isExpired({ expiresAt }: TaskRecord, now: number): boolean {
  return expiresAt !== undefined && expiresAt <= now
}

/** Whether the message of a call should long have been there; its caller may have died before it was. */
function isOverdue({ sendingUntil }: TaskRecord, now: number): boolean {
  return sendingUntil !== undefined && sendingUntil <= now
}

/** Applies changes to what `read` knows, in their order; `write` gets each record that changed. */
export function applyAll(
  changes: readonly Change[],
  read: (id: string) => TaskRecord | undefined,
  write: (record: TaskRecord) => void,
): readonly Recorded[] {
  return changes.map((change) => {
    const known = read(change.id)
    const record = applyChange(known, change)
    if (record !== undefined) write(record)
    return { applied: record !== undefined, state: (record ?? known)?.state ?? 'unknown' }
  })
}

