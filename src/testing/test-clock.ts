import type { Clock } from '../core/clock.js'
import { toMs, type Duration } from '../core/duration.js'
import { ErrandError } from '../errors.js'
import type { Pending } from './pending.js'

/** The time of a test that was started with `clock: 'fake'`. It stands still until it is moved. */
export interface TestClock {
  /** Milliseconds since the epoch. */
  now(): number
  /**
   * Goes on by this long: seconds, or a text such as `'10m'`. On the way every delay, retry, time limit and expiry comes when it is
   * due; tasks that begin meanwhile are waited for before it goes on, those that ran before are not.
   * @throws ErrandError `OPTION_INVALID`
   */
  advance(by: Duration): Promise<void>
}

interface Timer {
  readonly at: number
  readonly fn: () => void
}

/** The time of a test that has no clock of its own. */
export const REAL_TIME: TestClock = {
  now: () => Date.now(),
  async advance() {
    throw new ErrandError('CALL_INVALID', `clock.advance() moves the clock of a test, and this one goes by that of the machine. Start it with startTesting({ clock: 'fake' }).`)
  },
}

/** A clock that moves by hand. */
export class ManualClock implements Clock, TestClock {
  #now: number
  readonly #timers = new Set<Timer>()
  readonly #pending: () => Pending

  constructor(now: number, pending: () => Pending) {
    this.#now = now
    this.#pending = pending
  }

  now(): number {
    return this.#now
  }

  after(ms: number, fn: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, ms), fn }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  async advance(by: Duration): Promise<void> {
    const end = this.#now + toMs(by, 'clock.advance()')
    const pending = this.#pending()
    const before = pending.open
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#timers.delete(next)
      this.#now = Math.max(this.#now, next.at)
      next.fn()
      // what it woke begins in a later turn
      await new Promise((resolve) => setImmediate(resolve))
      await pending.atMost(before)
    }
    this.#now = end
  }

  /** The timer that is due first, if it is due by then; of two at one time the one that was set first. */
  #next(end: number): Timer | undefined {
    let first: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.at <= end && (first === undefined || timer.at < first.at)) first = timer
    }
    return first
  }
}
