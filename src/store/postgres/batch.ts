import { announcing, applyAll, isExpired, joins } from '../begin.js'
import { exact, toColumns } from '../columns.js'
import type { Begun, Change, Recorded, TaskRecord } from '../store.js'
import { idsOf } from './attempt.js'
import type { Client } from './client.js'
import type { Answer, Expected, Order, Place } from './order.js'
import { Rows, type Version } from './rows.js'

/**
 * Carries out orders inside a transaction of the caller's, with a few statements for all of them: lock what is there, apply the
 * changes here, write the rows that changed. A row that another process adds at the same moment is locked and applied to afresh.
 */
export class Batch {
  readonly #client: Client
  readonly #place: Place
  readonly #records = new Map<string, TaskRecord>()
  readonly #keys = new Map<string, string>()
  readonly #rows: Rows
  readonly #changed = new Set<string>()
  /** Rows that are there, and locked. */
  readonly #locked = new Map<string, Version>()
  /** What they said. */
  readonly #was = new Map<string, TaskRecord>()
  readonly #newKeys = new Map<string, string>()
  /** Rows that need no further write. */
  #justAdded: ReadonlySet<string> = new Set()

  constructor(client: Client, place: Place) {
    this.#client = client
    this.#place = place
    this.#rows = new Rows(client, place)
  }

  /** The tasks that changed. */
  get changed(): readonly string[] {
    return [...this.#changed]
  }

  /** `unanswered`: what orders came to that may have been stored before a connection was lost. */
  async run(orders: readonly Order[], unanswered: ReadonlyMap<Order, Expected>): Promise<readonly Answer[]> {
    await this.#lockKeys(orders)
    await this.#lock([...orders.flatMap(idsOf), ...this.#keys.values()])
    for (;;) {
      const before = new Map(this.#records)
      const answers = orders.map((order) => this.#stored(unanswered.get(order)) ?? this.#carryOut(order))
      const raced = await this.#add()
      if (raced.length === 0) {
        await this.#update()
        await this.#setKeys()
        return answers
      }
      // somebody else added some of them first: begin again from what they wrote
      this.#restore(before)
      await this.#lock(raced)
    }
  }

  /** Of processes that begin with one key at once, one goes on; the others wait for its commit here. */
  async #lockKeys(orders: readonly Order[]): Promise<void> {
    const begun = new Map(orders.flatMap((order) => (order.kind === 'begin' ? [[exact(order.key), order.announcement.id]] : [])))
    if (begun.size === 0) return
    const { schema, namespace } = this.#place
    const keys = [...begun.keys()].sort()
    const added = keys.map((key) => begun.get(key))
    await this.#client.query(
      `INSERT INTO ${schema}.task_key (namespace, key, id) SELECT $1, * FROM unnest($2::text[], $3::text[]) ON CONFLICT DO NOTHING`,
      [namespace, keys, added],
    )
    const { rows } = await this.#client.query(
      `SELECT key, id FROM ${schema}.task_key WHERE namespace = $1 AND key = ANY($2) ORDER BY key FOR UPDATE`,
      [namespace, keys],
    )
    // the columns of the statement, here and below
    for (const { key, id } of rows as { key: string; id: string }[]) this.#keys.set(key, id)
  }

  async #lock(ids: readonly string[]): Promise<void> {
    const now = this.#place.now()
    for (const [id, { record, version }] of await this.#rows.read(ids, { lock: true })) {
      this.#locked.set(id, version)
      if (isExpired(record, now)) continue
      this.#records.set(id, record)
      this.#was.set(id, record)
    }
  }

  /** What was answered to nobody, where it stands there in just that form. */
  #stored(expected: Expected | undefined): readonly Recorded[] | undefined {
    const there = expected === undefined ? undefined : this.#records.get(expected.record.id)
    if (expected === undefined || there === undefined) return undefined
    return JSON.stringify(toColumns(there)) === JSON.stringify(toColumns(expected.record)) ? expected.recorded : undefined
  }

  #carryOut(order: Order): Answer {
    return order.kind === 'record' ? this.#record(order.changes) : this.#begin(order)
  }

  #record(changes: readonly Change[]): readonly Recorded[] {
    const recorded = applyAll(changes, (id) => this.#records.get(id), (record) => {
      this.#records.set(record.id, record)
      this.#changed.add(record.id)
    })
    for (const [index, change] of changes.entries()) {
      if (change.kind !== 'announced' || change.key === undefined || recorded[index]?.applied !== true) continue
      this.#newKeys.set(exact(change.key), change.id)
    }
    return recorded
  }

  #begin({ key, announcement, join }: Extract<Order, { kind: 'begin' }>): Begun {
    const id = this.#newKeys.get(exact(key)) ?? this.#keys.get(exact(key))
    const current = id === undefined ? undefined : this.#records.get(id)
    if (joins(current, join, this.#place.now())) return { isNew: current.id === announcement.id, record: current }
    this.#record([announcing(key, announcement)])
    this.#newKeys.set(exact(key), announcement.id)
    const { id: own, createdAt, expiresAt } = announcement
    const none = { id: own, state: 'unknown', createdAt, changedAt: createdAt, expiresAt, tags: [], runs: [], progress: { value: -1 } } as const
    return { isNew: true, record: this.#records.get(own) ?? none }
  }

  /** Adds the rows that were not there; answers those that were, after all. */
  async #add(): Promise<string[]> {
    const missing = [...this.#changed].filter((id) => !this.#locked.has(id))
    if (missing.length === 0) return []
    const added = await this.#rows.add(this.#recordsOf(missing))
    for (const [id, version] of added) this.#locked.set(id, version)
    this.#justAdded = new Set(added.keys())
    return missing.filter((id) => !added.has(id))
  }

  async #update(): Promise<void> {
    const known = this.#recordsOf([...this.#changed].filter((id) => !this.#justAdded.has(id)))
    const rows = known.flatMap((record) => {
      const version = this.#locked.get(record.id)
      return version === undefined ? [] : [{ was: this.#was.get(record.id), record, version }]
    })
    if (rows.length > 0) await this.#rows.move(rows)
  }

  async #setKeys(): Promise<void> {
    if (this.#newKeys.size === 0) return
    const { schema, namespace } = this.#place
    const keys = [...this.#newKeys.keys()].sort()
    await this.#client.query(
      `INSERT INTO ${schema}.task_key (namespace, key, id) SELECT $1, * FROM unnest($2::text[], $3::text[])
       ON CONFLICT (namespace, key) DO UPDATE SET id = EXCLUDED.id`,
      [namespace, keys, keys.map((key) => this.#newKeys.get(key))],
    )
  }

  #restore(records: ReadonlyMap<string, TaskRecord>): void {
    this.#records.clear()
    for (const [id, record] of records) this.#records.set(id, record)
    // what this transaction added is there, in a form that is written over below
    this.#justAdded = new Set()
    this.#changed.clear()
    this.#newKeys.clear()
  }

  #recordsOf(ids: readonly string[]): TaskRecord[] {
    return ids.flatMap((id) => this.#records.get(id) ?? [])
  }
}
