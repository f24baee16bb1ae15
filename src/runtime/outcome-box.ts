import { ErrandError } from '../errors.js'
import type { Outcome } from '../core/message.js'
import { isAsyncTask } from './current-task.js'

/** Receives the outcome of a call once, whether or not somebody waits for it yet. */
export class OutcomeBox {
  #outcome: Outcome | undefined
  #waiters = new Set<(outcome: Outcome) => void>()

  /** What was received. */
  get outcome(): Outcome | undefined {
    return this.#outcome
  }

  settle(outcome: Outcome): void {
    if (this.#outcome !== undefined) return
    this.#outcome = outcome
    for (const waiter of this.#waiters) waiter(outcome)
    this.#waiters.clear()
  }

  /** Calls `waiter` when the outcome comes, unless it has come; the answer ends that. */
  whenSettled(waiter: (outcome: Outcome) => void): () => void {
    this.#waiters.add(waiter)
    return () => this.#waiters.delete(waiter)
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

function timedOut(task: string, timeoutMs: number): ErrandError {
  const advice = isAsyncTask()
    ? 'It was called inside a task: a body that waits holds its place in the worker. Use background(), or raise worker.concurrency.'
    : 'Wait longer (resultTimeout), or see whether a worker is running.'
  return new ErrandError('RESULT_TIMEOUT', `No result of ${task} within ${timeoutMs} ms. The task may still run. ${advice}`)
}
