import type { Clock } from './clock.js'

/** Distances between two lines about the same trouble: each is twice the one before. */
const FIRST_DISTANCE_MS = 2_000
const LONGEST_DISTANCE_MS = 60_000

interface Trouble {
  toldAt: number
  distanceMs: number
}

/** Attempts that fail for as long as a server is away: told at once, and then less and less often, with how many there were. */
export class LastingTrouble {
  readonly #clock: Clock
  readonly #troubles = new Map<string, Trouble>()
  #attempts = 0
  #since = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** One more attempt failed with the trouble `what`. Answers what its line ends with, `undefined` where it is too early for one. */
  failed(what: string): string | undefined {
    const now = this.#clock.now()
    if (this.#attempts === 0) this.#since = now
    this.#attempts += 1
    const trouble = this.#troubles.get(what)
    if (trouble === undefined) {
      this.#troubles.set(what, { toldAt: now, distanceMs: FIRST_DISTANCE_MS })
      return this.#soFar(now)
    }
    // either way: the time of a system can be set back
    if (Math.abs(now - trouble.toldAt) < trouble.distanceMs) return undefined
    trouble.toldAt = now
    trouble.distanceMs = Math.min(2 * trouble.distanceMs, LONGEST_DISTANCE_MS)
    return this.#soFar(now)
  }

  /** An attempt succeeded. Answers what the line about it ends with. */
  over(): string {
    const soFar = this.#attempts === 0 ? '' : `, after ${counted(this.#attempts)} in vain${this.#lasting(this.#clock.now())}`
    this.#troubles.clear()
    this.#attempts = 0
    return soFar
  }

  #soFar(now: number): string {
    return this.#attempts === 1 ? '' : `, ${counted(this.#attempts)} until now${this.#lasting(now)}`
  }

  #lasting(now: number): string {
    return ` in ${Math.max(0, Math.round((now - this.#since) / 1000))} s`
  }
}

const counted = (attempts: number): string => (attempts === 1 ? '1 attempt' : `${attempts} attempts`)
