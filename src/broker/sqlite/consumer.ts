import { nextTick } from 'node:process'
import type { Clock } from '../../core/clock.js'
import type { Logger } from '../../core/logger.js'
import { promised } from '../../core/promised.js'
import type { Run } from '../../core/run.js'
import type { GroupCommit } from '../../sqlite/group-commit.js'
import type { ConsumeOptions, Delivery, Verdict } from '../broker.js'
import { deliveryOf, type ClaimedRow, type Ending, type Ledger, type Settled } from './ledger.js'
import { Unclaimed } from './unclaimed.js'

/** What the consumers of a connection share. */
export interface ConsumerParts {
  readonly ledger: Ledger
  readonly writer: GroupCommit
  readonly clock: Clock
  readonly log: Logger
  /** The number to go on with after others took `lost` for dead. */
  replaceOwner(lost: number): Promise<number>
}

export interface ConsumerOptions extends ConsumeOptions {
  /** The queue as the caller names it. */
  readonly queue: string
  /** The queue as the file names it. */
  readonly name: string
  readonly handle: (delivery: Delivery) => Promise<Verdict>
}

type OwnSettled = Settled & { readonly owner: number }

/** What a transaction did. */
interface Exchanged {
  readonly isKnown: boolean
  readonly room: number
  readonly rows: readonly ClaimedRow[]
  /** The run of each row that began. */
  readonly begun?: readonly (Run | undefined)[] | undefined
}

/** A power cut would end the process to which claims and begins belong; what it had settled comes again, as after any crash. */
const EARLY = { early: true }
/** How long after a failed change it is tried again. */
const RETRY_MS = 500
/** How long runs begin by themselves after one could not begin with its claim. */
const BEGIN_PAUSE_MS = 10_000
/** The longest time a timer of the platform can wait. */
const LONGEST_TIMER_MS = 2 ** 31 - 1
/** Longer delays are waited for in steps: a timer knows nothing of a clock that is set, or of a machine that slept. */
const LONGEST_WAIT_MS = 30_000

/**
 * Takes messages of one queue, never more than it may hold, and writes down how they ended. One transaction does both: what
 * ended since the last one goes, and the places that became free are filled. A temporary queue needs no claims, see {@link Unclaimed}.
 */
export class Consumer {
  readonly #parts: ConsumerParts
  readonly #options: ConsumerOptions
  readonly #hold: NodeJS.Timeout | undefined
  /** Of a temporary queue. */
  readonly #unclaimed: Unclaimed | undefined
  #owner = 0
  #number = 0
  #inHand = 0
  #settled: OwnSettled[] = []
  #isStopped = false
  #isClosed = false
  #isWanted = false
  #isWorking = false
  #isFailing = false
  #isGathering = false
  #beginsAgainAt = 0
  #working: Promise<void> = Promise.resolve()
  #cancelTimer: () => void = () => undefined

  constructor(parts: ConsumerParts, options: ConsumerOptions) {
    this.#parts = parts
    this.#options = options
    // a process that consumes has a reason to live, although its timers and watches do not hold it; waiting for replies is none
    if (options.temporary === true) this.#unclaimed = new Unclaimed(parts.ledger)
    else this.#hold = setInterval(() => undefined, LONGEST_TIMER_MS)
  }

  /** Makes the queue known, and works from now on in the name of `owner`. What another owner had in hand is lost to it. */
  async enroll(owner: number): Promise<void> {
    const { name, temporary } = this.#options
    const { number } = await this.#parts.writer.submit(() => this.#parts.ledger.queue(name, temporary === true ? owner : null))
    this.#number = number
    this.#owner = owner
    this.look()
  }

  /** Settles and claims what there is, soon. */
  look(): void {
    this.#isWanted = true
    if (this.#isWorking || this.#owner === 0) return
    this.#isWorking = true
    this.#working = this.#work()
  }

  /** Takes nothing new; resolves when that is certain. What is in hand is still settled. */
  async stop(): Promise<void> {
    if (this.#isStopped) return this.#working
    this.#isStopped = true
    clearInterval(this.#hold)
    this.#cancelTimer()
    // what was to be tried again by that timer
    this.look()
    while (this.#isWorking) await this.#working
    if (this.#options.temporary === true && !this.#isClosed) {
      await this.#parts.writer.submit(() => this.#parts.ledger.dropQueue(this.#number, this.#owner))
    }
  }

  /** Stopped, and nothing in hand or still to be written down. */
  get isOver(): boolean {
    return this.#isStopped && this.#inHand === 0 && this.#settled.length === 0 && !this.#isWorking
  }

  /** Nothing is settled after this: the connection gives back what is still in hand. */
  close(): void {
    this.#isClosed = true
    clearInterval(this.#hold)
    this.#cancelTimer()
    // what ended in this very turn is written down before the rest is given back; where that fails, it is given back too
    if (this.#isGathering) void this.#settleAndClaim(this.#owner, this.#settled.splice(0)).catch(() => {})
  }

  /** Nothing is claimed or settled after this. The process is left alive: what it does about a lost queue is not for a timer to say. */
  giveUp(): void {
    this.#isClosed = true
    this.#settled = []
    this.#cancelTimer()
  }

  async #work(): Promise<void> {
    try {
      while (this.#isWanted && !this.#isClosed) {
        this.#isWanted = false
        if (this.#unclaimed !== undefined) await this.#deliverUnclaimed(this.#unclaimed)
        if (this.#hasWork()) await this.#exchange()
        else this.#wakeWhenDue()
        this.#isFailing = false
      }
    } catch (error) {
      if (this.#isClosed) return
      if (!this.#isFailing) this.#parts.log.warn(`Cannot work on queue "${this.#options.queue}"; trying on. ${String(error)}`)
      this.#isFailing = true
      this.#wakeAfter(RETRY_MS)
    } finally {
      this.#isWorking = false
    }
  }

  #room(): number {
    return this.#isStopped ? 0 : this.#options.concurrency - (this.#unclaimed?.size ?? this.#inHand)
  }

  #hasWork(): boolean {
    if (this.#settled.length > 0) return true
    if (this.#room() <= 0) return false
    const { ledger, clock } = this.#parts
    return this.#unclaimed === undefined ? ledger.hasDue(this.#number, clock.now()) : ledger.hasFallenDue(this.#number, clock.now())
  }

  /** Who is told of an outcome may act on it at once: it has to be on the disk by then, whoever wrote it. */
  async #deliverUnclaimed(unclaimed: Unclaimed): Promise<void> {
    const room = this.#room()
    const rows = room <= 0 ? [] : unclaimed.take(this.#number, room)
    if (rows.length === 0) return
    await this.#parts.writer.flushed()
    if (this.#isClosed) return
    for (const row of rows) this.#deliver(row, this.#owner, undefined)
  }

  async #exchange(): Promise<void> {
    // behind what all that end in this turn have handed in: none may go before its answer is stored
    this.#isGathering = true
    await new Promise<void>((resolve) => nextTick(resolve))
    this.#isGathering = false
    if (this.#isClosed) return
    const owner = this.#owner
    const ended = this.#settled.slice()
    const { isKnown, room, rows, begun } = await this.#settleAndClaim(owner, ended)
    this.#settled.splice(0, ended.length)
    this.#unclaimed?.forget(ended)
    for (const [index, row] of rows.entries()) this.#deliver(row, owner, begun?.[index])
    // fewer than there was room for: nothing is left, so find out when something will be
    if (rows.length < room || this.#unclaimed !== undefined) this.#isWanted = true
    if (!isKnown) await this.enroll(await this.#parts.replaceOwner(owner))
  }

  async #settleAndClaim(owner: number, ended: readonly OwnSettled[]): Promise<Exchanged> {
    const { writer, clock } = this.#parts
    const begin = clock.now() < this.#beginsAgainAt ? undefined : this.#options.begin
    try {
      return await writer.submit(() => this.#change(owner, ended, begin), EARLY)
    } catch (error) {
      if (begin === undefined) throw error
      // it may be the states that cannot be written, and then tasks go on without them
      this.#beginsAgainAt = clock.now() + BEGIN_PAUSE_MS
      return writer.submit(() => this.#change(owner, ended, undefined), EARLY)
    }
  }

  /** Within a transaction. */
  #change(owner: number, ended: readonly OwnSettled[], begin: ConsumeOptions['begin']): Exchanged {
    const { ledger, clock } = this.#parts
    const now = clock.now()
    if (!ledger.hasOwner(owner)) return { isKnown: false, room: 0, rows: [] }
    const room = this.#room()
    const mine = ended.filter((one) => one.owner === owner)
    const claimant = { owner, name: this.#options.name, now }
    if (this.#unclaimed !== undefined) this.#unclaimed.settle(this.#number, claimant, mine)
    else if (mine.length > 0) ledger.settle(claimant, mine)
    const rows = room > 0 ? ledger.claim(this.#number, owner, this.#unclaimed === undefined ? room : 0, now) : []
    const begun = rows.length > 0 ? begin?.(rows) : undefined
    return { isKnown: true, room, rows, begun }
  }

  /** Stopped meanwhile, it hands back what has not begun. */
  #deliver(row: ClaimedRow, owner: number, begun: Run | undefined): void {
    if (this.#isStopped && begun === undefined) {
      this.#settled.push({ seq: row.seq, owner, ending: { kind: 'release' } })
      this.#isWanted = true
      return
    }
    this.#inHand++
    const delivery = deliveryOf(row, this.#options.queue, begun)
    const ended = (ending: Ending): void => this.#ended(row.seq, owner, ending)
    void promised(() => this.#options.handle(delivery)).then(ended, (error: unknown) => {
      this.#sayLost(delivery, error)
      ended({ kind: 'lost' })
    })
  }

  #ended(seq: number, owner: number, ending: Ending): void {
    this.#inHand--
    if (this.#isClosed) return
    this.#settled.push({ seq, owner, ending })
    this.look()
  }

  #sayLost({ id, queue }: Delivery, error: unknown): void {
    // its message may quote what the delivery carries
    const what = error instanceof Error ? error.name : typeof error
    this.#parts.log.error(`Message ${id} of queue "${queue}" comes again: its handler threw ${what}.`)
  }

  #wakeWhenDue(): void {
    if (this.#room() <= 0) return
    const due = this.#parts.ledger.nextDue(this.#number)
    if (due !== undefined) this.#wakeAfter(due - this.#parts.clock.now())
  }

  #wakeAfter(ms: number): void {
    this.#cancelTimer()
    this.#cancelTimer = this.#parts.clock.after(Math.min(Math.max(ms, 1), LONGEST_WAIT_MS), () => this.look())
  }
}
