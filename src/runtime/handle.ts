import { toMs, type Duration } from '../core/duration.js'
import type { OutcomeBox } from './outcome-box.js'
import { feed, notFound } from './tracking/feed.js'
import { changesOf, type StatusSource } from './tracking/source.js'
import { statusOf, type TaskProgress, type TaskStatus } from './tracking/status.js'

export interface ResultOptions {
  /** Give up waiting after this long: seconds, or a text such as `'30s'`. @defaultValue the task's `resultTimeout` */
  readonly timeout?: Duration | undefined
  /** Gives up waiting when it aborts; the task goes on. */
  readonly signal?: AbortSignal | undefined
}

export interface WatchOptions {
  /** Ends the watch when it aborts. */
  readonly signal?: AbortSignal | undefined
}

/** A task that was sent, and the way to how it stands and to its result; what `background()`, `enqueue()` and `tasks.get()` answer. */
export interface TaskHandle<R> {
  /** Unique and not guessable. */
  readonly id: string
  /** Name of the task; empty where the handle was made from an id. */
  readonly task: string
  /**
   * Waits until the task has ended and answers the value of its body: also in another process, or after a restart.
   * @throws the error of the body, or ErrandError `RESULT_TIMEOUT` when it did not end in time (it may still run), `TASK_CANCELLED`,
   * `TASK_NOT_FOUND` when nothing is known of the id of `tasks.get()`, `RESULT_UNAVAILABLE` when the result was too large to keep
   */
  result(options?: ResultOptions): Promise<R>
  /** How it stands now. @throws ErrandError `STORE_UNREACHABLE` */
  status(): Promise<TaskStatus>
  /** What it last said of its progress. @throws ErrandError `STORE_UNREACHABLE` */
  progress(): Promise<TaskProgress>
  /**
   * How it stands now, and again after each change until it has ended; changes in quick succession may be told as one.
   * @throws ErrandError `STORE_UNREACHABLE`
   * @example
   * for await (const { state, progress } of task.watch()) console.log(state, progress.value)
   */
  watch(options?: WatchOptions): AsyncIterable<TaskStatus>
}

/** What a handle is made of. */
export interface HandleParts {
  readonly id: string
  readonly task: string
  /** Where its outcome arrives. */
  readonly box: OutcomeBox
  readonly source: StatusSource
  /** How long a result is waited for. */
  readonly timeoutMs: number
  /** Its result can be read once. @defaultValue what the store says */
  readonly isReadOnce?: boolean | undefined
  /** Nothing else will bring the outcome than the store. @defaultValue false */
  readonly isById?: boolean | undefined
}

export function createHandle({ id, task, box, source, timeoutMs, isReadOnce = false, isById = false }: HandleParts): TaskHandle<unknown> {
  let isSpent = false
  const status = async (): Promise<TaskStatus> => statusOf(id, await source.find())
  return {
    id,
    task,
    status,
    progress: async () => (await status()).progress,
    watch: (options) => changesOf(id, source, options?.signal),
    result: async ({ timeout, signal } = {}) => {
      const ms = timeout === undefined ? timeoutMs : toMs(timeout, 'result timeout')
      if (isSpent) throw notFound(id)
      const stop = feed({ id, box, source, isById, onTaken: () => (isSpent = true) })
      try {
        const value = await box.wait(task === '' ? id : task, ms, signal)
        if (isReadOnce && !isSpent) {
          isSpent = true
          await source.take().catch(() => false) // the value is here, whether or not the store hears of it
        }
        return value
      } finally {
        stop()
      }
    },
  }
}
