import type { Announcement, TaskRecord } from '../../store/store.js'

/** The message of a follow-up that may have been sent more than once. */
export interface Copy {
  readonly id: string
  readonly copy: string
}

const KEY = 'follow-up:'
const TASK = 'errand:copy'
/** Longer than any message is delivered again by a crash. */
const KEPT_MS = 7 * 86_400_000

/** The key for which the message of a follow-up stands that is run. */
export const keyOfCopies = ({ id }: Copy): string => `${KEY}${id}`

/** What is written down of the one that is run. It was made long ago, so that it is the last of whatever is found. */
export const claimOf = ({ id, copy }: Copy, now: number): Announcement => ({ id: `${id}.${copy}`, task: TASK, queue: 'errand', createdAt: 0, expiresAt: now + KEPT_MS })

/** Whether a record is no task, but was written down by {@link claimOf}. */
export const isClaim = ({ task }: Pick<TaskRecord, 'task'>): boolean => task === TASK
