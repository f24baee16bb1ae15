/** Waits that grow: a random part ("full jitter") of a bound that doubles, so that many clients do not come back together. */
export class Backoff {
  readonly #firstMs: number
  readonly #longestMs: number
  #failures = 0

  constructor(firstMs: number, longestMs: number) {
    this.#firstMs = firstMs
    this.#longestMs = longestMs
  }

  /** Milliseconds to wait after one more failure: at least a quarter of the bound, since no wait at all would spin. */
  next(random: () => number = Math.random): number {
    const bound = Math.min(this.#longestMs, this.#firstMs * 2 ** this.#failures)
    this.#failures += 1
    return bound * (0.25 + 0.75 * random())
  }

  reset(): void {
    this.#failures = 0
  }
}
