import type { LazySignal } from '../../core/lazy-signal.js'
import { unlessGivenUp } from '../given-up.js'
import type { Runtime } from '../runtime.js'
import { watchRun } from './watch-run.js'

/** A run that may be cancelled. */
export interface CancellableRun<T> {
  readonly id: string
  readonly ended: Promise<T>
  readonly signal: LazySignal
  /** The grace is over and the run goes on: nothing waits for it any more. */
  readonly onIgnored: () => void
}

/**
 * What the run ends with. When its task is cancelled its signal aborts, and after the grace it is given up.
 * @throws ErrandError `TASK_CANCELLED` when it was given up
 */
export function heedCancellation<T>({ tracking, clock, settings }: Runtime, run: CancellableRun<T>): Promise<T> {
  if (tracking === undefined) return run.ended
  return unlessGivenUp(run.ended, (giveUp) => {
    let endGrace = (): void => {}
    const endWatch = watchRun(tracking, run.id, (error) => {
      run.signal.abort(error)
      endGrace = clock.after(settings.timeLimitGraceMs, () => {
        run.onIgnored()
        giveUp(error)
      })
    })
    return () => {
      endWatch()
      endGrace()
    }
  })
}
