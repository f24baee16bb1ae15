import { ErrandError } from '../errors.js'
import { toMs, type Duration } from '../core/duration.js'
import type { Outcome } from '../core/message.js'
import { isAsyncTask } from './current-task.js'

export interface ResultOptions {
  /** Give up waiting after this long: seconds, or a text such as `'30s'`. @defaultValue the task's `resultTimeout` */
  readonly timeout?: Duration | undefined
  /** Gives up waiting when it aborts; the task goes on. */
  readonly signal?: AbortSignal | undefined
}

/** What `background()` and `enqueue()` answer: a task that was sent, and the way to its result. */
export interface TaskHandle<R> {
  /** Unique and not guessable. */
  readonly id: string
  /** Name of the task. */
  readonly task: string
  /**
   * Waits until the task has ended and answers the value of its body.
   * @throws the error of the body, or ErrandError `RESULT_TIMEOUT` when it did not end in time; it may still run
   */
  result(options?: ResultOptions): Promise<R>
}

/** The handle's side of a call: receives the outcome once, whether or not somebody waits for it yet. */
export class OutcomeBox {
  #outcome: Outcome | undefined
  #waiters = new Set<(outcome: Outcome) => void>()

  settle(outcome: Outcome): void {
    if (this.#outcome !== undefined) return
    this.#outcome = outcome
    for (const waiter of this.#waiters) waiter(outcome)
    this.#waiters.clear()
  }

  /** @throws the error of the body, `RESULT_TIMEOUT`, or the reason of the signal */
  wait(task: string, timeoutMs: number, signal?: AbortSignal): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const finish = (outcome: Outcome): void => {
        release()
        if (outcome.kind === 'completed') resolve(outcome.value)
        else reject(outcome.error)
      }
      const onAbort = (): void => {
        release()
        reject(signal?.reason)
      }
      // this timer holds the process on purpose: somebody awaits the answer
      const timer = setTimeout(() => {
        release()
        reject(timedOut(task, timeoutMs))
      }, timeoutMs)
      const release = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        this.#waiters.delete(finish)
      }
      if (this.#outcome !== undefined) return finish(this.#outcome)
      if (signal?.aborted === true) return onAbort()
      signal?.addEventListener('abort', onAbort)
      this.#waiters.add(finish)
    })
  }
}

/** A handle over `box`. */
export function createHandle(id: string, task: string, box: OutcomeBox, defaultTimeoutMs: number): TaskHandle<unknown> {
  return {
    id,
    task,
    result: ({ timeout, signal } = {}) => box.wait(task, timeout === undefined ? defaultTimeoutMs : toMs(timeout, 'result timeout'), signal),
  }
}

function timedOut(task: string, timeoutMs: number): ErrandError {
  const advice = isAsyncTask()
    ? 'It was called inside a task: a body that waits holds its place in the worker. Use background(), or raise worker.concurrency.'
    : 'Wait longer (resultTimeout), or see whether a worker is running.'
  return new ErrandError('RESULT_TIMEOUT', `No result of ${task} within ${timeoutMs} ms. The task may still run. ${advice}`)
}
