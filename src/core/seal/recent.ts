import type { Clock } from '../clock.js'

interface Entry<V> {
  readonly value: V
  readonly until: number
}

/** Values by text that were made or used lately: at most `size` of them, none older than `freshMs`. */
export class Recent<V> {
  readonly #entries = new Map<string, Entry<V>>()
  readonly #size: number
  readonly #freshMs: number
  readonly #clock: Clock

  constructor(size: number, freshMs: number, clock: Clock) {
    this.#size = size
    this.#freshMs = freshMs
    this.#clock = clock
  }

  /** The value under `key`, made by `make` when there is none that is fresh. */
  get(key: string, make: (key: string) => V): V {
    const found = this.#entries.get(key)
    const now = this.#clock.now()
    if (found !== undefined && found.until > now) return found.value
    const value = make(key)
    this.#entries.delete(key)
    this.#entries.set(key, { value, until: now + this.#freshMs })
    this.#dropOld(now)
    return value
  }

  get size(): number {
    return this.#entries.size
  }

  /** A map keeps the order of insertion and every value lives equally long, so the first ones are the oldest. */
  #dropOld(now: number): void {
    for (const [key, { until }] of this.#entries) {
      if (this.#entries.size <= this.#size && until > now) return
      this.#entries.delete(key)
    }
  }
}
