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
}

/** Settles the box with what the store knows, until the answer is called. */
export function feed({ id, box, source, isById }: FeedParts): () => void {
  let watch: Watch | undefined
  let isOver = false
  const failed = (error: unknown): void => {
    if (isById) box.settle({ kind: 'failed', error })
  }
  const look = async (): Promise<void> => {
    const record = await source.find()
    const outcome = record === undefined ? undefined : outcomeOf(record)
    if (outcome !== undefined) box.settle(outcome)
    else if (record === undefined) failed(notFound(id))
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

const notFound = (id: string): ErrandError =>
  new ErrandError('TASK_NOT_FOUND', `There is no result of task ${id}: nothing is known of it, or nothing any more (keepCompleted, keepFailed).`)
