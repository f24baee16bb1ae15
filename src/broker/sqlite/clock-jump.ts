import type { Clock } from '../../core/clock.js'

/** What the clock may gain or lose against the time that passes before that counts as having been set. */
const TOLERANCE_MS = 2_000
/** By then every process has noticed, and has said anew how long it is alive. */
const GRACE_MS = 5_000

/**
 * Notices that the clock of the machine was set, or stood still with the machine: all leases look ended then, or endless, until their
 * owners have renewed them.
 */
export class ClockJump {
  readonly #clock: Clock
  readonly #passed: () => number
  #offset: number
  #until = -Infinity

  /** `passed` tells milliseconds that nobody can set. */
  constructor(clock: Clock, passed: () => number = () => performance.now()) {
    this.#clock = clock
    this.#passed = passed
    this.#offset = clock.now() - passed()
  }

  /** Whether the clock was set in the last seconds, as far as looks at it can tell. */
  isRecent(): boolean {
    const passed = this.#passed()
    const offset = this.#clock.now() - passed
    if (Math.abs(offset - this.#offset) > TOLERANCE_MS) this.#until = passed + GRACE_MS
    this.#offset = offset
    return passed < this.#until
  }
}
