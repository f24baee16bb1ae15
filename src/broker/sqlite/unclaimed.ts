import type { ClaimedRow, Claimant, Ledger, Settled } from './ledger.js'

/**
 * What a consumer of a temporary queue has in hand. Nobody else takes from such a queue, and it goes with its process, so a message is
 * handed out as soon as it can be read: a claim would be a commit that whoever waits for a reply waits for.
 */
export class Unclaimed {
  readonly #ledger: Ledger
  /** By number; the rank of each. */
  readonly #inHand = new Map<number, number>()

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  /** How many are in hand, or have ended and that is not written down. */
  get size(): number {
    return this.#inHand.size
  }

  /** Takes the next messages of a queue in hand, `most` at most. A plain read. */
  take(queue: number, most: number): readonly ClaimedRow[] {
    const places = this.#ledger.places(queue, most + this.#inHand.size).filter(({ seq }) => !this.#inHand.has(seq))
    const rows = this.#ledger.at(queue, places.slice(0, most))
    for (const { seq, rank } of rows) this.#inHand.set(seq, rank)
    return rows
  }

  /** Writes down, within a transaction, how messages ended. */
  settle(queue: number, claimant: Claimant, settled: readonly Settled[]): void {
    for (const one of settled) {
      const rank = this.#inHand.get(one.seq)
      if (rank === undefined) continue
      if (one.ending.kind === 'done') {
        this.#ledger.take(queue, { rank, seq: one.seq })
      } else {
        this.#ledger.claimOne(queue, claimant.owner, { rank, seq: one.seq })
        this.#ledger.settle(claimant, [one])
      }
    }
  }

  /** What is written down is in hand no more; to be called after the commit. */
  forget(settled: readonly Settled[]): void {
    for (const { seq } of settled) this.#inHand.delete(seq)
  }
}
