import type { LazySignal } from '../../core/lazy-signal.js'
import type { Runtime } from '../runtime.js'
import { watchRun } from './watch-run.js'

/** A run that may be cancelled. */
export interface CancellableRun {
  readonly signal: LazySignal
  /** The grace is over and the run goes on: nothing waits for it any more. */
  readonly onIgnored: () => void
  /** Ends it with ErrandError `TASK_CANCELLED`. */
  readonly giveUp: (error: unknown) => void
}

/** When the task `id` is cancelled the signal of its run aborts, and after the grace the run is given up. The answer ends that. */
export function heedCancellation({ tracking, clock, settings }: Runtime, id: string, run: CancellableRun): () => void {
  if (tracking === undefined) return () => {}
  let endGrace: (() => void) | undefined
  const endWatch = watchRun(tracking, id, (error) => {
    run.signal.abort(error)
    endGrace = clock.after(settings.timeLimitGraceMs, () => {
      run.onIgnored()
      run.giveUp(error)
    })
  })
  return () => {
    endWatch()
    endGrace?.()
  }
}
