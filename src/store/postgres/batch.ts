import type { TaskState } from '../../core/lifecycle.js'
import { announcing, applyAll, joins } from '../begin.js'
import { exact, fromColumns, toColumns } from '../columns.js'
import type { Announcement, Begun, Change, Recorded, TaskRecord } from '../store.js'
import type { Client } from './client.js'

/** What a caller wants written. */
export type Order =
  | { readonly kind: 'record'; readonly changes: readonly Change[] }
  | { readonly kind: 'begin'; readonly key: string; readonly announcement: Announcement; readonly join: readonly TaskState[] }

export type Answer = readonly Recorded[] | Begun

/** Where the rows are. */
export interface Place {
  readonly schema: string
  readonly namespace: string
  /** The channel on which watchers listen. */
  readonly channel: string
  now(): number
}

/** Bytes of a notice; the server takes 8000. */
const LARGEST_NOTICE = 7_000

const COLUMNS = `id text, task text, queue text, state text, owner text, tenant text, key text, parent text, tags text[], created bigint,
  due bigint, expires bigint, words text, record text, result text`
const NAMES = 'id, task, queue, state, owner, tenant, key, parent, tags, created, due, expires, words, record, result'

/**
 * Carries out orders inside a transaction of the caller's, with a few statements for all of them: lock what is there, apply the
 * changes here, write the rows that changed. A row that another process adds at the same moment is locked and applied to afresh.
 */
export class Batch {
  readonly #client: Client
  readonly #place: Place
  readonly #records = new Map<string, TaskRecord>()
  readonly #keys = new Map<string, string>()
  readonly #changed = new Set<string>()
  /** Rows that are there, and locked. */
  readonly #locked = new Set<string>()
  readonly #newKeys = new Map<string, string>()
  /** Rows that need no further write. */
  #justAdded: ReadonlySet<string> = new Set()

  constructor(client: Client, place: Place) {
    this.#client = client
    this.#place = place
  }

  async run(orders: readonly Order[]): Promise<readonly Answer[]> {
    await this.#lockKeys(orders)
    await this.#lock([...orders.flatMap(idsOf), ...this.#keys.values()])
    for (;;) {
      const before = new Map(this.#records)
      const answers = orders.map((order) => (order.kind === 'record' ? this.#record(order.changes) : this.#begin(order)))
      const raced = await this.#add()
      if (raced.length === 0) {
        await this.#update()
        await this.#setKeys()
        await this.#notify()
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
    const { schema, namespace } = this.#place
    const { rows } = await this.#client.query(
      `SELECT id, record, result FROM ${schema}.task WHERE namespace = $1 AND id = ANY($2) ORDER BY id FOR UPDATE`,
      [namespace, [...new Set(ids)]],
    )
    const now = this.#place.now()
    for (const row of rows as { id: string; record: string; result: string | null }[]) {
      this.#locked.add(row.id)
      const record = fromColumns(row)
      if (record.expiresAt === undefined || record.expiresAt > now) this.#records.set(row.id, record)
    }
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
    const missing = [...this.#changed].filter((id) => !this.#locked.has(id)).sort()
    if (missing.length === 0) return []
    const { schema, namespace } = this.#place
    const { rows } = await this.#client.query(
      `INSERT INTO ${schema}.task (namespace, ${NAMES}) SELECT $1, ${NAMES} FROM json_to_recordset($2::json) AS x(${COLUMNS})
       ON CONFLICT DO NOTHING RETURNING id`,
      [namespace, this.#rowsOf(missing)],
    )
    const added = new Set((rows as { id: string }[]).map(({ id }) => id))
    for (const id of added) this.#locked.add(id)
    this.#justAdded = added
    return missing.filter((id) => !added.has(id))
  }

  async #update(): Promise<void> {
    const known = [...this.#changed].filter((id) => !this.#justAdded.has(id)).sort()
    if (known.length === 0) return
    const { schema, namespace } = this.#place
    const sets = NAMES.split(', ').slice(1).map((name) => `${name} = x.${name}`)
    await this.#client.query(
      `UPDATE ${schema}.task t SET ${sets.join(', ')}, written = clock_timestamp()
       FROM json_to_recordset($2::json) AS x(${COLUMNS}) WHERE t.namespace = $1 AND t.id = x.id`,
      [namespace, this.#rowsOf(known)],
    )
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

  async #notify(): Promise<void> {
    if (this.#changed.size === 0) return
    const notices = noticesOf([...this.#changed])
    await this.#client.query('SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload', [this.#place.channel, notices])
  }

  #restore(records: ReadonlyMap<string, TaskRecord>): void {
    this.#records.clear()
    for (const [id, record] of records) this.#records.set(id, record)
    // what this transaction added is there, in a form that is written over below
    this.#justAdded = new Set()
    this.#changed.clear()
    this.#newKeys.clear()
  }

  #rowsOf(ids: readonly string[]): string {
    return JSON.stringify(ids.map((id) => this.#records.get(id)).flatMap((record) => (record === undefined ? [] : [toColumns(record)])))
  }
}

function idsOf(order: Order): string[] {
  return order.kind === 'begin' ? [order.announcement.id] : order.changes.map(({ id }) => id)
}

/** Ids with spaces between them, as many in each text as a notice may hold. */
function noticesOf(ids: readonly string[]): string[] {
  const notices = ['']
  for (const id of ids) {
    const last = notices.at(-1) ?? ''
    if (last.length + id.length < LARGEST_NOTICE) notices[notices.length - 1] = last === '' ? id : `${last} ${id}`
    else notices.push(id)
  }
  return notices
}
