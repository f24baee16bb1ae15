import { randomUUID } from 'node:crypto'

/** Time and identity as the rest of the library sees them; tests hand in their own. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
  /** Runs `fn` once after `ms`; the answer cancels it. A timer never keeps the process alive by itself. */
  after(ms: number, fn: () => void): () => void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, fn) {
    const timer = setTimeout(fn, ms)
    timer.unref()
    return () => clearTimeout(timer)
  },
}

/** A new id of a message or process: 122 random bits, not guessable (RFC 9562, version 4). */
export const newId = (): string => randomUUID()
