import type { Clock } from '../src/core/clock.js'
import type { Logger } from '../src/core/logger.js'
import { ErrandError } from '../src/errors.js'

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 10_000

export interface PatienceOptions {
  readonly log: Logger
  readonly clock: Clock
  /** Ends the wait: its reason is thrown. */
  readonly signal?: AbortSignal | undefined
}

/**
 * What `ask` resolves with, once the broker is there: a worker whose broker is away waits for it, because dying and being started
 * again would help nobody. Any other failure, credentials that are refused for one, is given up.
 */
export async function onceReachable<T>(ask: () => Promise<T>, { log, clock, signal }: PatienceOptions): Promise<T> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof ErrandError) || error.code !== 'BROKER_UNREACHABLE') throw error
      log.warn(`The worker waits for its broker and tries again in ${pauseMs / 1000} s. ${error.message}`)
    }
    if (signal?.aborted !== true) await pause(pauseMs, clock, signal)
    signal?.throwIfAborted()
  }
}

function pause(ms: number, clock: Clock, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(ms, resolve)
    signal?.addEventListener('abort', () => {
      cancel()
      resolve()
    }, { once: true })
  })
}
