import type { Clock } from './clock.js'

interface Waiting {
  readonly dueAt: number
  readonly fn: () => void
}

/**
 * Calls functions a fixed time after they came, by one timer for all of them: for what is nearly always taken back before, such as a look at
 * whether a run that lasts was cancelled. A timer for each costs every run more than a microsecond.
 */
export class Patience {
  readonly #clock: Pick<Clock, 'now' | 'after'>
  readonly #ms: number
  /** In the order in which they came, which is that of their times. */
  readonly #waiting = new Set<Waiting>()
  #isTimed = false

  constructor(clock: Pick<Clock, 'now' | 'after'>, ms: number) {
    this.#clock = clock
    this.#ms = ms
  }

  /** Calls `fn` once after that time, unless the answer is called before. */
  wait(fn: () => void): () => void {
    const waiting = { dueAt: this.#clock.now() + this.#ms, fn }
    this.#waiting.add(waiting)
    this.#wakeAfter(this.#ms)
    return () => void this.#waiting.delete(waiting)
  }

  #wakeAfter(ms: number): void {
    if (this.#isTimed) return
    this.#isTimed = true
    this.#clock.after(ms, () => {
      this.#isTimed = false
      this.#tell()
    })
  }

  #tell(): void {
    const now = this.#clock.now()
    for (const waiting of this.#waiting) {
      const leftMs = waiting.dueAt - now
      // more than all of it is left where the clock was put back
      if (leftMs > 0 && leftMs <= this.#ms) return this.#wakeAfter(leftMs)
      this.#waiting.delete(waiting)
      waiting.fn()
    }
  }
}
