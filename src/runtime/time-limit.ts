import type { Clock } from '../core/clock.js'
import type { Task } from '../core/task.js'
import { ErrandError } from '../errors.js'
import type { LazySignal } from '../core/lazy-signal.js'
import type { RuntimeSettings } from './runtime.js'

/** A run that may be limited in time. */
export interface LimitedRun {
  /** When the time begins to count. @defaultValue now */
  readonly begun?: Promise<unknown> | undefined
  readonly signal: LazySignal
  /** The grace is over and the run goes on: nothing waits for it any more. */
  readonly onIgnored: () => void
  /** Ends it with ErrandError `TASK_TIMEOUT`. */
  readonly giveUp: (error: unknown) => void
}

/** How long a run of a task may take. */
export interface TimeLimit {
  readonly task: string
  /** More than 0. */
  readonly limitMs: number
  readonly settings: Pick<RuntimeSettings, 'timeLimitGraceMs'>
  readonly clock: Clock
}

/** The longest time a timer of the platform can wait; a longer limit ends there. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** The limit of `task`: its own, else the configured one; 0: as long as it likes. */
export const limitOf = (task: Task, settings: RuntimeSettings): number => task.declaration.options.timeLimitMs ?? settings.timeLimitMs

/** When the time of a run is over its signal aborts, and after the grace it is given up. The answer ends that. */
export function keepTimeLimit(limit: TimeLimit, run: LimitedRun): () => void {
  const { clock, limitMs, settings } = limit
  let isOver = false
  let cancel = (): void => {}
  const wait = (ms: number, then: () => void): void => {
    if (!isOver) cancel = clock.after(Math.min(ms, LONGEST_TIMER_MS), then)
  }
  const expire = (): void => {
    const error = timeout(limit)
    run.signal.abort(error)
    wait(settings.timeLimitGraceMs, () => {
      run.onIgnored()
      run.giveUp(error)
    })
  }
  if (run.begun === undefined) wait(limitMs, expire)
  else void run.begun.then(() => wait(limitMs, expire))
  return () => {
    isOver = true
    cancel()
  }
}

/** Why a run was aborted, if that was its time limit. */
export function timeoutOf(signal: LazySignal): ErrandError | undefined {
  const { reason } = signal
  return reason instanceof ErrandError && reason.code === 'TASK_TIMEOUT' ? reason : undefined
}

function timeout({ task, limitMs }: TimeLimit): ErrandError {
  return new ErrandError(
    'TASK_TIMEOUT',
    `${task} did not end within its time limit of ${limitMs} ms, so its run was aborted. ` +
      'Raise timeLimit, or make the body faster; let it heed currentTask().signal.',
  )
}
