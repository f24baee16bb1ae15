import { ErrandError } from '../../errors.js'
import type { Watch } from '../../store/store.js'
import type { OutcomeBox } from '../outcome-box.js'
import { outcomeOf } from './outcome.js'
import type { StatusSource } from './source.js'

/** The message with the outcome is faster; the store is asked where it does not come: its caller may have lost its connection. */
const PATIENCE_MS = 1_000

export interface FeedParts {
  readonly id: string
  readonly box: OutcomeBox
  readonly source: StatusSource
  /** Nothing else will settle the box: what is wrong with the store is then an outcome, and so is an id of which nothing is known. */
  readonly isById: boolean
  /** Of the handle: several may wait for its one result. What is told while the result is taken is that it was. */
  readonly taking: { isUnderWay: boolean }
  /** Called when a result was taken that can be read once. */
  readonly onTaken: () => void
}

/** Settles the box with what the store knows, until the answer is called. */
export function feed({ id, box, source, isById, taking, onTaken }: FeedParts): () => void {
  let watch: Watch | undefined
  let isOver = false
  const failed = (error: unknown): void => {
    if (isById) box.settle({ kind: 'failed', error })
  }
  const look = async (): Promise<void> => {
    const record = await source.find()
    if (taking.isUnderWay) return
    if (record === undefined || record.takenAt !== undefined) return failed(notFound(id))
    const outcome = outcomeOf(record)
    if (outcome === undefined) return
    if (outcome.kind === 'completed' && record.isReadOnce === true) {
      if (box.outcome !== undefined) return
      taking.isUnderWay = true
      const isTaken = await source.take().finally(() => (taking.isUnderWay = false))
      if (!isTaken) return failed(notFound(id))
      onTaken()
    }
    box.settle(outcome)
  }
  const begin = async (): Promise<void> => {
    watch = await source.watch(() => void look().catch(failed))
    if (isOver) return watch.stop()
    await look()
  }
  const timer = setTimeout(() => void begin().catch(failed), isById ? 0 : PATIENCE_MS)
  return () => {
    isOver = true
    clearTimeout(timer)
    void watch?.stop().catch(() => {}) // a store that is away tells nothing anyway
  }
}

/** Settles the box of a task that was cancelled. Never rejects. */
export async function feedCancelled(box: OutcomeBox, source: StatusSource): Promise<void> {
  const record = await source.find().catch(() => undefined)
  const outcome = record?.state === 'cancelled' ? outcomeOf(record) : undefined
  if (outcome !== undefined) box.settle(outcome)
}

export const notFound = (id: string): ErrandError =>
  new ErrandError('TASK_NOT_FOUND', `There is no result of task ${id}: nothing is known of it, or nothing any more (keepCompleted, keepFailed).`)
