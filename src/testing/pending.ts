/** The messages of a test that are not settled. Those parked wait for a time that comes only when the test moves its clock. */
export class Pending {
  #open = 0
  /** How many by id: one follow-up may have several. */
  readonly #parked = new Map<string, number>()
  #waiting: { readonly most: number; readonly resolve: () => void }[] = []

  get open(): number {
    return this.#open
  }

  sent(): void {
    this.#open++
  }

  park(id: string): void {
    this.#parked.set(id, (this.#parked.get(id) ?? 0) + 1)
  }

  /** A run of it begins. */
  begun(id: string): void {
    const parked = this.#parked.get(id) ?? 0
    if (parked === 0) return
    this.#parked.set(id, parked - 1)
    this.#open++
  }

  settled(): void {
    this.#open--
    const isMet = ({ most }: { readonly most: number }): boolean => this.#open <= most
    for (const { resolve } of this.#waiting.filter(isMet)) resolve()
    this.#waiting = this.#waiting.filter((waiting) => !isMet(waiting))
  }

  /** Resolves when no more than `most` are open. */
  async atMost(most: number): Promise<void> {
    if (this.#open <= most) return
    await new Promise<void>((resolve) => this.#waiting.push({ most, resolve }))
  }
}
