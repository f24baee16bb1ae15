import type { Run } from '../../core/run.js'
import { assertNever } from '../../errors.js'
import type { Database } from '../../sqlite/driver.js'
import { deadQueueOf, type Delivery, type OutgoingMessage, type QueueCount, type Verdict } from '../broker.js'
import type { Owner, OwnerRow } from './owner.js'
import { prepareStatements, type Statements } from './statements.js'

/** How a claim ends; `lost` is a handler that threw. */
export type Ending = Verdict | { readonly kind: 'lost' }

/** A claim that has ended and is not yet written down. */
export interface Settled {
  readonly seq: number
  readonly ending: Ending
}

/** A queue: the number it keeps for good and, where it is temporary, its owner. */
export interface QueueRow {
  readonly number: number
  readonly owner: number | null
}

/** Who settles, for which queue, and when. */
export interface Claimant {
  readonly owner: number
  readonly name: string
  readonly now: number
}

/** Where a due message stands in its queue. */
export type Place = Pick<ClaimedRow, 'rank' | 'seq'>

/** A message that an owner has just claimed. */
export interface ClaimedRow {
  readonly rank: number
  readonly seq: number
  readonly attempt: number
  readonly crashes: number
  readonly note: string | null
  readonly id: string
  readonly body: Uint8Array
}

const LOWEST_PRIORITY = 0
const HIGHEST_PRIORITY = 9
const USUAL_PRIORITY = 4
/** Delayed messages made ready in one transaction at most; the others follow in the next. */
const MOST_DUE = 1_000

/**
 * The tables of the broker as operations. Those that change something run inside a transaction of the caller's. Queue names are
 * those in the file, namespace included.
 */
export class Ledger {
  readonly #sql: Statements
  #hasNews = false

  constructor(db: Database) {
    this.#sql = prepareStatements(db)
  }

  /** Whether messages became deliverable, or will by time, since this was asked last. */
  takeNews(): boolean {
    const hadNews = this.#hasNews
    this.#hasNews = false
    return hadNews
  }

  /** The queue of that name; made where there is none. */
  queue(name: string, owner: number | null = null): QueueRow {
    return this.findQueue(name) ?? { number: Number(this.#sql.addQueue.run(name, owner).lastInsertRowid), owner }
  }

  findQueue(name: string): QueueRow | undefined {
    // the columns of the statement; the tables are STRICT, here and below
    return this.#sql.findQueue.get(name) as QueueRow | undefined
  }

  /** Stores a message; it is due at `due`, or at once where that is 0. */
  publish(queue: number, message: OutgoingMessage, due: number): void {
    const { id, body, attempt = 1, priority = USUAL_PRIORITY } = message
    const rank = HIGHEST_PRIORITY - Math.min(Math.max(Math.round(priority), LOWEST_PRIORITY), HIGHEST_PRIORITY)
    this.#hasNews = true
    this.#sql.addMessage.run(id, body)
    if (due === 0) this.#sql.addReady.run(queue, rank, attempt)
    else this.#sql.addDelayed.run(queue, due, rank, attempt)
  }

  /** Whether something of a queue can be claimed now. A plain read, without a lock. */
  hasDue(queue: number, now: number): boolean {
    return this.#sql.hasReady.get(queue) !== undefined || this.hasFallenDue(queue, now)
  }

  /** Whether a delayed message of a queue is due and has to be made ready. A plain read. */
  hasFallenDue(queue: number, now: number): boolean {
    return this.#sql.nowDue.get(queue, now, 1) !== undefined
  }

  /** When the next delayed message of a queue falls due. */
  nextDue(queue: number): number | undefined {
    const row = this.#sql.nextDue.get(queue) as { due: number } | undefined
    return row?.due
  }

  /** Claims the next messages of a queue, `most` at most. */
  claim(queue: number, owner: number, most: number, now: number): ClaimedRow[] {
    this.readyDue(queue, now)
    const rows = this.#sql.firstReady.all(queue, most) as ClaimedRow[]
    const last = rows.at(-1)
    if (last === undefined) return rows
    this.#sql.claimReady.run(owner, queue, last.rank, last.seq)
    this.#sql.deleteReady.run(queue, last.rank, last.seq)
    return rows
  }

  /** Claims a message that is ready, if it still is. */
  claimOne(queue: number, owner: number, { rank, seq }: Place): void {
    this.#sql.claimOne.run(owner, queue, rank, seq)
    this.#sql.takeReady.run(queue, rank, seq)
  }

  /** Makes the delayed messages of a queue that are due by now ready. */
  readyDue(queue: number, now: number): void {
    const last = (this.#sql.nowDue.all(queue, now, MOST_DUE) as { due: number; seq: number }[]).at(-1)
    if (last === undefined) return
    this.#sql.copyDue.run(queue, last.due, last.seq)
    this.#sql.deleteDue.run(queue, last.due, last.seq)
  }

  /** The due messages of a queue behind `last`, `most` at most; they stay where they are. */
  page(queue: number, last: Place | undefined, most: number): ClaimedRow[] {
    return this.#sql.readyAfter.all(queue, last?.rank ?? -1, last?.seq ?? 0, most) as ClaimedRow[]
  }

  /** Where the due messages of a queue stand, the next one first, `most` at most. */
  places(queue: number, most: number): Place[] {
    return this.#sql.readyPlaces.all(queue, most) as unknown as Place[]
  }

  /** The due messages of those places, in their order; what is gone is left out. */
  at(queue: number, places: readonly Place[]): ClaimedRow[] {
    return places.flatMap(({ rank, seq }) => (this.#sql.readyAt.get(queue, rank, seq) as ClaimedRow | undefined) ?? [])
  }

  /** Takes a due message out of its queue for good. Answers `false` where somebody has it, or had it. */
  take(queue: number, { rank, seq }: Place): boolean {
    if (Number(this.#sql.takeReady.run(queue, rank, seq).changes) === 0) return false
    this.#sql.dropMessage.run(seq)
    return true
  }

  /** Writes down how claims ended; claims the owner no longer has are passed over. */
  settle({ owner, name, now }: Claimant, settled: readonly Settled[]): void {
    const done: number[] = []
    for (const { seq, ending } of settled) {
      if (ending.kind === 'done') done.push(seq)
      else this.#giveBack({ owner, name, now }, seq, ending)
    }
    if (done.length === 0) return
    const list = JSON.stringify(done)
    this.#sql.deleteDone.run(list, owner)
    this.#sql.unclaimDone.run(owner, list)
  }

  count(name: string): QueueCount {
    return { waiting: this.#waiting(name), dead: this.#waiting(deadQueueOf(name)) }
  }

  addOwner(owner: Owner, lease: number): number {
    return Number(this.#sql.addOwner.run(owner.host, owner.pid, owner.started, lease).lastInsertRowid)
  }

  /** Answers `false` where the owner is no longer known: others took it for dead. */
  renewOwner(owner: number, lease: number): boolean {
    return Number(this.#sql.renewOwner.run(lease, owner).changes) > 0
  }

  /** Whether an owner is on the books; what one that is not would claim, nobody could ever take over. */
  hasOwner(owner: number): boolean {
    return this.#sql.findOwner.get(owner) !== undefined
  }

  owners(): OwnerRow[] {
    return this.#sql.allOwners.all() as OwnerRow[]
  }

  /** Takes an owner off the books: its claims are free again, counted as crashes or not, and its temporary queues are gone. */
  dropOwner(owner: number, crashes: 0 | 1): void {
    for (const row of this.#sql.temporaryQueues.all(owner) as { number: number }[]) this.dropQueue(row.number, owner)
    if (Number(this.#sql.requeueOwned.run(crashes, crashes, owner).changes) > 0) this.#hasNews = true
    this.#sql.unclaimOwned.run(owner)
    this.#sql.dropOwner.run(owner)
  }

  /** Removes a temporary queue with what is in it. */
  dropQueue(queue: number, owner: number): void {
    this.#sql.dropMessages.run(queue, queue, owner, queue)
    this.#sql.dropReady.run(queue)
    this.#sql.dropDelayed.run(queue)
    this.#sql.dropClaimed.run(owner, queue)
    this.#sql.dropQueue.run(queue)
  }

  /** A number that changes when another connection commits. */
  dataVersion(): number {
    return (this.#sql.dataVersion.get() as { data_version: number }).data_version
  }

  ping(): void {
    this.#sql.ping.get()
  }

  #giveBack({ owner, name, now }: Claimant, seq: number, ending: Exclude<Ending, { kind: 'done' }>): void {
    switch (ending.kind) {
      case 'again':
        this.#deliverAfter(ending.delayMs, { attempts: 1, note: ending.note ?? null }, { owner, now }, seq)
        break
      case 'later':
        this.#deliverAfter(ending.delayMs, { attempts: 0, note: null }, { owner, now }, seq)
        break
      case 'release':
        this.#sql.requeue.run(0, 0, null, owner, seq)
        break
      case 'lost':
        this.#sql.requeue.run(1, 1, null, owner, seq)
        break
      case 'dead':
        this.#sql.bury.run(this.queue(deadQueueOf(name)).number, ending.note, owner, seq)
        break
      default:
        assertNever(ending)
    }
    this.#sql.unclaim.run(owner, seq)
    this.#hasNews = true
  }

  #deliverAfter(delayMs: number, more: { attempts: 0 | 1; note: string | null }, { owner, now }: Omit<Claimant, 'name'>, seq: number): void {
    if (delayMs > 0) this.#sql.postpone.run(now + Math.ceil(delayMs), more.attempts, more.note, owner, seq)
    else this.#sql.requeue.run(more.attempts, 0, more.note, owner, seq)
  }

  #waiting(name: string): number {
    const number = this.findQueue(name)?.number
    if (number === undefined) return 0
    const ready = this.#sql.countReady.get(number) as { n: number }
    const delayed = this.#sql.countDelayed.get(number) as { n: number }
    return ready.n + delayed.n
  }
}

/** A row as the port hands it out. */
export function deliveryOf(row: ClaimedRow, queue: string, begun?: Run): Delivery {
  const { id, body, attempt, crashes, rank, note } = row
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  const delivery = { id, queue, body: bytes, attempt, crashes, priority: 9 - rank, begun }
  return note === null ? delivery : { ...delivery, note }
}
