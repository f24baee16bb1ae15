import { applyAll, isExpired } from '../begin.js'
import type { Change, Recorded, TaskRecord } from '../store.js'
import type { Client } from './client.js'
import { failureKind } from './failure.js'
import { notify } from './notices.js'
import type { Expected, Order, Place } from './order.js'
import type { Recent } from './recent.js'
import { Rows, type Row, type Version } from './rows.js'

export type Changes = Extract<Order, { kind: 'record' }>

export interface AttemptHooks {
  /** Whether somebody was quicker the first time. */
  readonly isAgain: boolean
  /** Gets what resolves when watchers have been told. */
  readonly onTold: (told: Promise<void>) => void
}

interface Tried extends Expected {
  readonly order: Changes
  readonly was: TaskRecord | undefined
  readonly version: Version | undefined
}

/**
 * Carries out orders without a lock, in one or two round trips: what is there is read, or known from a moment ago, changed here, and
 * written where nobody else wrote meanwhile. Whatever does not work out is left to a {@link Batch}.
 */
export class Attempt {
  /** What the server was sent, and has not answered yet: nobody knows whether it is stored. */
  readonly unanswered = new Map<Order, Expected>()
  readonly #client: Client
  readonly #rows: Rows
  readonly #place: Place
  readonly #recent: Recent
  readonly #answers = new Map<Order, readonly Recorded[]>()

  constructor(client: Client, place: Place, recent: Recent) {
    this.#client = client
    this.#rows = new Rows(client, place)
    this.#place = place
    this.#recent = recent
    recent.use(client)
  }

  /** The answers of the orders that are carried out. Each must be of a task of its own; calls that are made are new, most likely, unless `isAgain`. */
  async run(orders: readonly Changes[], { isAgain, onTold }: AttemptHooks): Promise<ReadonlyMap<Order, readonly Recorded[]>> {
    const known = await this.#read(isAgain ? orders : orders.filter(({ changes }) => changes[0]?.kind !== 'announced'))
    const tried = orders.flatMap((order) => this.#apply(order, known) ?? [])
    if (tried.length === 0) return this.#answers
    for (const each of tried) this.unanswered.set(each.order, each)
    const writing = this.#write(tried)
    // sent at once, so that the server tells of what it has stored even if this process is gone by then
    onTold(notify(this.#client, this.#place.channel, tried.map(({ record }) => record.id)))
    const written = await writing.catch((error: unknown) => {
      // it is known that the server rolled back
      if (failureKind(error) !== 'lost') this.unanswered.clear()
      throw error
    })
    this.unanswered.clear()
    for (const { order, record, recorded } of tried) {
      const version = written.get(record.id)
      if (version === undefined) continue
      this.#recent.keep({ record, version })
      this.#answers.set(order, recorded)
    }
    return this.#answers
  }

  async #read(orders: readonly Changes[]): Promise<ReadonlyMap<string, Row>> {
    const unknown = orders.map(idOf).filter((id) => this.#recent.get(id) === undefined)
    return unknown.length === 0 ? new Map<string, Row>() : this.#rows.read(unknown, { lock: false })
  }

  #apply(order: Changes, read: ReadonlyMap<string, Row>): Tried | undefined {
    const id = idOf(order)
    const recent = this.#recent.get(id)
    this.#recent.forget(id)
    const row = recent ?? read.get(id)
    const was = row === undefined || isExpired(row.record, this.#place.now()) ? undefined : row.record
    let record: TaskRecord | undefined
    const recorded = applyAll(order.changes, () => record ?? was, (next) => (record = next))
    if (record !== undefined) return { order, was, record, recorded, version: row?.version }
    // passed over: an answer only where it was read just now
    if (recent === undefined && row !== undefined) this.#answers.set(order, recorded)
    return undefined
  }

  async #write(tried: readonly Tried[]): Promise<ReadonlyMap<string, Version>> {
    const added = tried.filter(({ version }) => version === undefined).map(({ record }) => record)
    const moved = tried.flatMap(({ was, record, version }) => (version === undefined ? [] : [{ was, record, version }]))
    if (moved.length === 0) return this.#rows.add(added)
    if (added.length === 0) return this.#rows.move(moved)
    // one flush for both
    const [, news, changes] = await Promise.all([
      this.#client.query('BEGIN'),
      this.#rows.add(added),
      this.#rows.move(moved),
      this.#client.query('COMMIT'),
    ])
    return new Map([...news, ...changes])
  }
}

/** Those that are of one task each, which no other order is about; all others wait for their turn behind them. */
export function split(orders: readonly Order[]): readonly Changes[] {
  const seen = new Set<string>()
  return orders.filter((order): order is Changes => {
    const ids = idsOf(order)
    const isAlone = order.kind === 'record' && new Set(ids).size === 1 && !ids.some((id) => seen.has(id)) && !order.changes.some(hasKey)
    for (const id of ids) seen.add(id)
    return isAlone
  })
}

export function idsOf(order: Order): string[] {
  return order.kind === 'begin' ? [order.announcement.id] : order.changes.map(({ id }) => id)
}

const idOf = ({ changes }: Changes): string => changes[0]?.id ?? ''

const hasKey = (change: Change): boolean => change.kind === 'announced' && change.key !== undefined
