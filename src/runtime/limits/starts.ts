import type { Locks } from '../../broker/locks.js'
import type { Clock } from '../../core/clock.js'

/** Several slots are taken with one name where they are shorter than this, or asking would cost more than running. */
const BLOCK_MS = 100
/** Names are held a little longer than their time, for machines whose clocks differ. */
const CLOCK_SKEW_MS = 1_000
/** A plan reaches no further ahead than this, or than the next slot: it does not know what other processes plan. */
const HORIZON_MS = 15 * 60_000

export interface StartsOptions {
  readonly locks: Locks
  readonly clock: Clock
  /** What is counted, in all processes. */
  readonly name: string
  readonly spacingMs: number
}

/**
 * Time cut into slots of one start each, numbered alike in all processes. A start is made in a slot whose name this process took;
 * waiting messages are given the slots behind it, one each.
 */
export class Starts {
  readonly #options: StartsOptions
  readonly #slotsPerBlock: number
  /** The last slot that is used up, or that another process has. */
  #last = -1
  /** The last slot that a waiting message was told to come for. */
  #planned = -1
  #block = -1
  #isBlockMine: Promise<boolean> = Promise.resolve(false)

  constructor(options: StartsOptions) {
    this.#options = options
    this.#slotsPerBlock = Math.max(1, Math.floor(BLOCK_MS / options.spacingMs))
  }

  /** Whether the slot of this moment may still be free; asks nobody. */
  get mayStart(): boolean {
    return this.#slotNow() > this.#last
  }

  /** Uses the slot of this moment if it is free. @throws ErrandError what the locks throw */
  async start(): Promise<boolean> {
    const slot = this.#slotNow()
    if (slot <= this.#last) return false
    this.#last = slot
    const block = Math.floor(slot / this.#slotsPerBlock)
    if (block !== this.#block) {
      this.#block = block
      this.#isBlockMine = this.#take(block)
    }
    const isMine = await this.#isBlockMine
    if (!isMine) this.#last = Math.max(this.#last, (block + 1) * this.#slotsPerBlock - 1)
    return isMine
  }

  /** Milliseconds to the next slot that may be free, behind `ahead` others that wait for one here. */
  nextMs(ahead: number): number {
    return this.#untilMs(Math.max(this.#last, this.#slotNow()) + 1 + ahead)
  }

  /** Gives the next slot that no waiting message has; answers the milliseconds until it. */
  plan(random: () => number): number {
    const slot = Math.max(this.#last, this.#planned, this.#slotNow()) + 1
    const waitMs = this.#untilMs(slot)
    const horizonMs = Math.max(HORIZON_MS, this.#options.spacingMs)
    // those that come again at the horizon must not come all at once
    if (waitMs > horizonMs) return (horizonMs / 2) * (1 + random())
    this.#planned = slot
    return waitMs
  }

  /** Nothing is to be remembered. */
  get isIdle(): boolean {
    return Math.max(this.#last, this.#planned) < this.#slotNow()
  }

  async #take(block: number): Promise<boolean> {
    const { locks, clock, name, spacingMs } = this.#options
    const held = await locks.take(`r:${name}:${block}`)
    if (held === undefined) return false
    const overMs = (block + 1) * this.#slotsPerBlock * spacingMs - clock.now() + CLOCK_SKEW_MS
    // closing the locks lets go as well; a failure to let go leaves a name that nobody asks for any more
    clock.after(Math.max(0, overMs), () => void held.release().catch(() => {}))
    return true
  }

  #slotNow(): number {
    return Math.floor(this.#options.clock.now() / this.#options.spacingMs)
  }

  #untilMs(slot: number): number {
    return Math.max(0, Math.ceil(slot * this.#options.spacingMs) - this.#options.clock.now())
  }
}
