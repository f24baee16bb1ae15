import { toMs, type Duration } from '../core/duration.js'
import type { CancelOptions, CancelResult } from './cancellation/cancel.js'
import type { OutcomeBox } from './outcome-box.js'
import { feed, feedCancelled, notFound } from './tracking/feed.js'
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
  /** Whether this call started it; `false` where it joined the task of its `key`, and for handles made from ids. */
  readonly isNew: boolean
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
  /**
   * Cancels it, and the calls that it made. One that waits never runs. Of one that runs the signal (`currentTask().signal`) aborts with
   * `TASK_CANCELLED`; if it goes on for longer than `timeLimitGrace`, its thread or process is ended, or its worker replaced. It is neither
   * retried nor dead-lettered. One that has ended stays as it is, and the answer says so.
   * @throws ErrandError `CALL_INVALID` where nothing is kept of it (`store: off`, `track: false`, `withAsync: false`), `OPTION_INVALID`,
   * `STORE_UNREACHABLE`
   * @example
   * const { isCancelled, state } = await task.cancel({ reason: 'ordered twice' })
   */
  cancel(options?: CancelOptions): Promise<CancelResult>
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
  const taking = { isUnderWay: false }
  const status = async (): Promise<TaskStatus> => statusOf(id, await source.find())
  return {
    id,
    task,
    isNew: !isById,
    status,
    progress: async () => (await status()).progress,
    watch: (options) => changesOf(id, source, options?.signal),
    cancel: async (options) => {
      const cancelled = await source.cancel(options)
      // who waits in this process need not ask the store
      if (cancelled.state === 'cancelled') await feedCancelled(box, source)
      return cancelled
    },
    result: async ({ timeout, signal } = {}) => {
      const ms = timeout === undefined ? timeoutMs : toMs(timeout, 'result timeout')
      if (isSpent) throw notFound(id)
      const stop = feed({ id, box, source, isById, taking, onTaken: () => (isSpent = true) })
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
