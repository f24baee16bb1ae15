import { setImmediate, setTimeout } from 'node:timers/promises'
import { isBusy } from './failure.js'

/** How long a change waits for its turn among the processes that share the file. */
export const LOCK_PATIENCE_MS = 10_000
/** The longest pause between two tries. Random pauses share the lock evenly; SQLite's own waiting is 20:1 unfair and blocks. */
const LONGEST_PAUSE_MS = 3

/** Runs `work` again, without blocking the process, as long as another connection holds the lock; then gives its failure up. */
export async function untilNotBusy<T>(work: () => T, patienceMs = LOCK_PATIENCE_MS): Promise<T> {
  const deadline = performance.now() + patienceMs
  for (;;) {
    try {
      return work()
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw error
    }
    const pauseMs = Math.random() * LONGEST_PAUSE_MS
    await (pauseMs < 1 ? setImmediate() : setTimeout(pauseMs))
  }
}
