import type { Clock } from '../../core/clock.js'
import type { GroupCommit } from '../../sqlite/group-commit.js'
import { ClockJump } from './clock-jump.js'
import { isGone, LEASE_MS, thisOwner, type Owner, type OwnerRow } from './owner.js'

/** A sixth of the lease: several renewals may fail before anybody doubts. */
const RENEW_MS = LEASE_MS / 6

/** Where the processes that hold something are entered. What changes it runs inside a transaction. */
export interface OwnerBook {
  addOwner(owner: Owner, lease: number): number
  /** Answers `false` where the owner is no longer known: others took it for dead. */
  renewOwner(owner: number, lease: number): boolean
  owners(): OwnerRow[]
  /** Takes an owner off the books and frees what it held, counted as a crash or not. */
  dropOwner(owner: number, crashes: 0 | 1): void
}

/** The entry of this connection on the books of the consuming processes, and the watch over the others. */
export class Registration {
  readonly #ledger: OwnerBook
  readonly #writer: GroupCommit
  readonly #clock: Clock
  readonly #self = thisOwner()
  readonly #jump: ClockJump
  #number: Promise<number> | undefined
  #renewAt = 0
  #lost = 0

  constructor(ledger: OwnerBook, writer: GroupCommit, clock: Clock) {
    this.#ledger = ledger
    this.#writer = writer
    this.#clock = clock
    this.#jump = new ClockJump(clock)
  }

  /** The number of this owner; it is entered when it is asked for first. */
  async number(): Promise<number> {
    this.#number ??= this.#entered(this.#enter())
    return this.#number
  }

  /** One that failed is asked for anew. */
  #entered(number: Promise<number>): Promise<number> {
    number.catch(() => {
      if (this.#number === number) this.#number = undefined
    })
    return number
  }

  /** Renews the lease when it is time. Answers a new number where others had taken this owner off the books. */
  async renew(): Promise<number | undefined> {
    const now = this.#clock.now()
    // a clock that was set back must not put it off
    const isEarly = now < this.#renewAt && now >= this.#renewAt - RENEW_MS
    if (this.#number === undefined || isEarly) return undefined
    const number = await this.#number
    this.#renewAt = now + RENEW_MS
    if (await this.#writer.submit(() => this.#ledger.renewOwner(number, now + LEASE_MS))) return undefined
    return this.replace(number)
  }

  /** The number to go on with after others took `lost` off the books. */
  async replace(lost: number): Promise<number> {
    const current = await this.number()
    // another consumer of this connection may have found out first
    if (current === lost && this.#lost !== lost) {
      this.#lost = lost
      this.#number = this.#entered(this.#enter())
    }
    return this.number()
  }

  /** Takes every owner that is gone off the books; what it held is delivered again and counts as a crash. */
  async reap(): Promise<void> {
    const now = this.#jump.isRecent() ? undefined : this.#clock.now()
    const own = await this.#number
    const gone = this.#ledger.owners().filter((row) => row.number !== own && isGone(row, this.#self, now))
    for (const { number } of gone) await this.#writer.submit(() => this.#ledger.dropOwner(number, 1))
  }

  /** Gives back what is still held, uncounted. */
  async leave(): Promise<void> {
    if (this.#number === undefined) return
    const number = await this.#number
    await this.#writer.submit(() => this.#ledger.dropOwner(number, 0))
  }

  async #enter(): Promise<number> {
    const now = this.#clock.now()
    this.#renewAt = now + RENEW_MS
    return this.#writer.submit(() => this.#ledger.addOwner(this.#self, now + LEASE_MS))
  }
}
