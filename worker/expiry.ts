import type { Clock } from '../src/core/clock.js'
import type { Logger } from '../src/core/logger.js'
import type { Store } from '../src/store/store.js'

/** What has expired is not seen any more at once; this only makes room. Not all workers do it at one time. */
const LEAST_PAUSE_MS = 120_000
const MORE_PAUSE_MS = 180_000

/** Removes every few minutes what has expired, until the answer is called. */
export function expireRegularly(store: Store, { clock, log }: { readonly clock: Clock; readonly log: Logger }): () => void {
  let cancel = (): void => {}
  let isOver = false
  const later = (): void => {
    if (!isOver) cancel = clock.after(LEAST_PAUSE_MS + Math.random() * MORE_PAUSE_MS, () => void expire())
  }
  const expire = async (): Promise<void> => {
    try {
      await store.expire()
    } catch (error) {
      // it is tried again
      log.debug(`What has expired could not be removed: ${error instanceof Error ? error.message : 'unknown'}`)
    }
    later()
  }
  later()
  return () => {
    isOver = true
    cancel()
  }
}
