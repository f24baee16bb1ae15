import type { LazySignal } from '../core/lazy-signal.js'
import type { Task } from '../core/task.js'
import { heedCancellation } from './cancellation/heed-cancellation.js'
import type { Runtime } from './runtime.js'
import { keepTimeLimit, limitOf } from './time-limit.js'
import type { TrackedRun } from './tracking/tracked-run.js'

/** A run that may have to end before its body does. */
export interface WatchedRun {
  readonly task: Task
  /** `undefined` where nothing is kept of it: then it cannot be cancelled. */
  readonly tracked: TrackedRun | undefined
  readonly signal: LazySignal
  /** When its time begins to count. @defaultValue now */
  readonly begun?: Promise<unknown> | undefined
  /** Is told that the grace is over and the run goes on. */
  readonly onIgnored: () => void
  /** Ends the run with an error, whatever its body does. */
  readonly giveUp: (error: unknown) => void
}

/**
 * Sees to it that a run heeds its cancellation and its time limit: its signal aborts, and after the grace it is given up. The answer, to be
 * called when the run has ended, stops that.
 */
export function watchOver(runtime: Runtime, run: WatchedRun): () => void {
  const { task, tracked } = run
  const limitMs = limitOf(task, runtime.settings)
  const endHeed = tracked === undefined ? undefined : heedCancellation(runtime, tracked.id, run)
  if (limitMs === 0) return endHeed ?? nothing
  const endLimit = keepTimeLimit({ ...runtime, task: task.name, limitMs }, run)
  return () => {
    endHeed?.()
    endLimit()
  }
}

const nothing = (): void => {}
