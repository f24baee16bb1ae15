import type { TaskState } from '../../core/lifecycle.js'
import type { Database, SqlValue } from '../../sqlite/driver.js'
import { applyAll, announcing, joins } from '../begin.js'
import { exact, fromColumns, toColumns } from '../columns.js'
import { conditionsOf, type Dialect } from '../conditions.js'
import type { ResolvedSearch } from '../search.js'
import type { Announcement, Begun, Change, Recorded, TaskRecord } from '../store.js'

const DIALECT: Dialect = {
  hasTag: 'EXISTS (SELECT 1 FROM json_each(tags) WHERE value = ?)',
  hasText: 'instr(words, ?) > 0',
}

/** Records removed in one transaction at most. */
const MOST_EXPIRED = 1_000

const SQL = {
  find: 'SELECT record, result FROM store_task WHERE namespace = ? AND id = ? AND (expires IS NULL OR expires > ?)',
  drop: 'DELETE FROM store_task WHERE namespace = ? AND id = ?',
  add: `INSERT INTO store_task (namespace, id, task, queue, state, owner, tenant, key, parent, tags, created, due, expires, change, words,
          record, result) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  move: `UPDATE store_task SET state = ?, due = ?, expires = ?, change = ?, words = ?, record = ?, result = ?
         WHERE namespace = ? AND id = ?`,
  report: 'UPDATE store_task SET change = ?, record = ? WHERE namespace = ? AND id = ?',
  findKey: 'SELECT id FROM store_key WHERE namespace = ? AND key = ?',
  setKey: 'INSERT OR REPLACE INTO store_key VALUES (?, ?, ?)',
  dropKeys: 'DELETE FROM store_key WHERE namespace = ? AND id = ?',
  expired: 'SELECT namespace, id FROM store_task WHERE expires <= ? LIMIT ?',
  nextChange: 'UPDATE store_change SET number = number + 1 RETURNING number',
  lastChange: 'SELECT number FROM store_change',
  changedSince: 'SELECT id, change FROM store_task WHERE namespace = ? AND change > ? ORDER BY change',
} as const

type Statements = Record<keyof typeof SQL, ReturnType<Database['prepare']>>

/** The tables of the store as operations. Those that change something run inside a transaction of the caller's. */
export class StoreLedger {
  readonly #db: Database
  readonly #namespace: string
  readonly #sql: Statements
  #hasNews = false

  constructor(db: Database, namespace: string) {
    this.#db = db
    this.#namespace = namespace
    // one statement for each name of SQL
    this.#sql = Object.fromEntries(Object.entries(SQL).map(([name, sql]) => [name, db.prepare(sql)])) as Statements
  }

  /** Whether something changed since this was asked last. */
  takeNews(): boolean {
    const hadNews = this.#hasNews
    this.#hasNews = false
    return hadNews
  }

  apply(changes: readonly Change[], now: number): readonly Recorded[] {
    // of several changes of one task only the last form is written
    const seen = new Map<string, { was: TaskRecord | undefined; is: TaskRecord | undefined }>()
    const look = (id: string) => {
      const known = seen.get(id)
      if (known !== undefined) return known
      const was = this.find(id, now)
      const entry = { was, is: was }
      seen.set(id, entry)
      return entry
    }
    const recorded = applyAll(changes, (id) => look(id).is, (record) => (look(record.id).is = record))
    this.#writeAll([...seen.values()])
    return recorded
  }

  begin(key: string, announcement: Announcement, join: readonly TaskState[], now: number): Begun {
    const current = this.findByKey(key, now)
    if (joins(current, join, now)) return { isNew: current.id === announcement.id, record: current }
    this.apply([announcing(key, announcement)], now)
    const record = this.find(announcement.id, now)
    this.#sql.setKey.run(this.#namespace, exact(key), announcement.id)
    return { isNew: true, record: record ?? missing(announcement) }
  }

  find(id: string, now: number): TaskRecord | undefined {
    return this.#read(this.#sql.find.get(this.#namespace, id, now))
  }

  findByKey(key: string, now: number): TaskRecord | undefined {
    // the columns of the statement; the tables are STRICT, here and below
    const row = this.#sql.findKey.get(this.#namespace, exact(key)) as { id: string } | undefined
    return row === undefined ? undefined : this.find(row.id, now)
  }

  /** One more than `limit`, where there are more. */
  search(search: ResolvedSearch, now: number): TaskRecord[] {
    const { sql, values } = conditionsOf(search, { namespace: this.#namespace, now }, DIALECT)
    const rows = this.#db.prepare(`SELECT record FROM store_task WHERE ${sql} ORDER BY created DESC, id DESC LIMIT ?`)
    return (rows.all(...values, search.limit + 1) as { record: string }[]).map(fromColumns)
  }

  lastChange(): number {
    return (this.#sql.lastChange.get() as { number: number }).number
  }

  changedSince(change: number): { id: string; change: number }[] {
    return this.#sql.changedSince.all(this.#namespace, change) as { id: string; change: number }[]
  }

  /** Removes some of what has expired; answers how many. */
  expire(now: number): number {
    const rows = this.#sql.expired.all(now, MOST_EXPIRED) as { namespace: string; id: string }[]
    for (const { namespace, id } of rows) {
      this.#sql.drop.run(namespace, id)
      this.#sql.dropKeys.run(namespace, id)
    }
    return rows.length
  }

  #read(row: unknown): TaskRecord | undefined {
    return row === undefined ? undefined : fromColumns(row as { record: string; result: string | null })
  }

  #writeAll(entries: readonly { was: TaskRecord | undefined; is: TaskRecord | undefined }[]): void {
    const changed = entries.filter(({ was, is }) => was !== is)
    if (changed.length === 0) return
    const { number } = this.#sql.nextChange.get() as { number: number }
    for (const { was, is } of changed) if (is !== undefined) this.#write(was, is, number)
    this.#hasNews = true
  }

  /** Writes no more columns than a change can have touched: each indexed one costs. */
  #write(was: TaskRecord | undefined, is: TaskRecord, change: number): void {
    const { id, tags, state, created, due, expires, words, record, result, ...names } = toColumns(is)
    const isMoved = was?.state !== is.state || was.expiresAt !== is.expiresAt
    if (was !== undefined && was.task === is.task) {
      if (isMoved) this.#sql.move.run(state, due, expires, change, words, record, result, this.#namespace, id)
      else this.#sql.report.run(change, record, this.#namespace, id)
      return
    }
    const { task, queue, owner, tenant, key, parent } = names
    const called: SqlValue[] = [task, queue, state, owner, tenant, key, parent, JSON.stringify(tags)]
    // what is known by its run alone, or has expired, makes room
    this.#sql.drop.run(this.#namespace, id)
    this.#sql.add.run(this.#namespace, id, ...called, created, due, expires, change, words, record, result)
    if (key !== null) this.#sql.setKey.run(this.#namespace, key, id)
  }
}

/** An announcement that is expired when it is made was never there. */
function missing({ id, createdAt, expiresAt }: Announcement): TaskRecord {
  return { id, state: 'unknown', createdAt, changedAt: createdAt, expiresAt, tags: [], runs: [], progress: { value: -1 } }
}
