import type { TaskState } from '../../core/lifecycle.js'
import type { Run } from '../../core/run.js'
import type { Database, SqlValue, Statement } from '../../sqlite/driver.js'
import { prepareAll } from '../../sqlite/prepare.js'
import { blank } from '../apply.js'
import { applyAll, announcing, joins } from '../begin.js'
import { exact, toColumns } from '../columns.js'
import type { ResolvedSearch } from '../search.js'
import type { Announcement, Begun, Change, Recorded, TaskRecord } from '../store.js'
import { News, type NewsSince } from './news.js'
import { Owners } from './owners.js'
import { queryOf } from './query.js'
import { recordOf, ROW, type TaskRow } from './rows.js'
import { ShortCuts } from './short-cuts.js'

/** Records removed in one transaction at most. */
const MOST_EXPIRED = 1_000

const SQL = {
  find: `SELECT ${ROW}, result FROM store_task WHERE namespace = ? AND id = ? AND (expires IS NULL OR expires > ?)`,
  drop: 'DELETE FROM store_task WHERE namespace = ? AND id = ?',
  add: `INSERT INTO store_task (namespace, id, task, queue, state, owner, tenant, key, parent, tags, created, due, expires, words, ended,
          record, result) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  move: `UPDATE store_task SET state = ?, due = ?, expires = ?, words = ?, run = NULL, ended = ?, record = ?, result = ?
         WHERE namespace = ? AND id = ?`,
  report: `UPDATE store_task SET run = NULL, record = ? WHERE namespace = ? AND id = ?`,
  findKey: 'SELECT id FROM store_key WHERE namespace = ? AND key = ?',
  setKey: 'INSERT OR REPLACE INTO store_key VALUES (?, ?, ?)',
  dropKeys: 'DELETE FROM store_key WHERE namespace = ? AND id = ?',
  expire: 'DELETE FROM store_task WHERE number IN (SELECT number FROM store_task WHERE expires <= ? LIMIT ?) RETURNING namespace, id',
} as const

/** The tables of the store as operations. Those that change something run inside a transaction of the caller's. */
export class StoreLedger {
  readonly #db: Database
  readonly #namespace: string
  readonly #sql: Readonly<Record<keyof typeof SQL, Statement>>
  readonly #shortCuts: ShortCuts
  readonly #news: News
  readonly #owners: Owners

  constructor(db: Database, namespace: string) {
    this.#db = db
    this.#namespace = namespace
    this.#sql = prepareAll(db, SQL)
    this.#owners = new Owners(db)
    this.#shortCuts = new ShortCuts(db, namespace, this.#owners)
    this.#news = new News(db, namespace)
  }

  /** To be called at the end of each transaction, within it: tells the other processes what changed, and lists whose the new tasks are. */
  endWrite(): void {
    this.#owners.write()
    this.#news.write()
  }

  /** Whether something changed since this was asked last. */
  takeNews(): boolean {
    return this.#news.take()
  }

  apply(changes: readonly Change[], now: number): readonly Recorded[] {
    const [only] = changes
    const recorded = only === undefined || changes.length > 1 ? undefined : this.#shortCuts.apply(only, now)
    if (only === undefined || recorded === undefined) return this.#applyAll(changes, now)
    this.#news.add(only.id)
    return [recorded]
  }

  /** Whether a run began of a task that is known to wait, and is none of `except`; else nothing is changed. */
  beginRun(id: string, run: Run, { except, now }: { readonly except: ReadonlySet<string>; readonly now: number }): boolean {
    const hasBegun = this.#shortCuts.begin(id, run, { except, now })
    if (hasBegun) this.#news.add(id)
    return hasBegun
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
    const { sql, values } = queryOf(search, { namespace: this.#namespace, now })
    return (this.#db.prepare(sql).all(...values) as TaskRow[]).map(recordOf)
  }

  /** The number of the last transaction that changed a task. */
  lastChange(): number {
    return this.#news.last()
  }

  changedSince(change: number): NewsSince {
    return this.#news.since(change)
  }

  /** Removes some of what has expired; answers how many. */
  expire(now: number): number {
    const rows = this.#sql.expire.all(now, MOST_EXPIRED) as { namespace: string; id: string }[]
    for (const { namespace, id } of rows) this.#sql.dropKeys.run(namespace, id)
    return rows.length
  }

  #applyAll(changes: readonly Change[], now: number): readonly Recorded[] {
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

  #read(row: unknown): TaskRecord | undefined {
    return row === undefined ? undefined : recordOf(row as TaskRow)
  }

  #writeAll(entries: readonly { was: TaskRecord | undefined; is: TaskRecord | undefined }[]): void {
    for (const { was, is } of entries) if (was !== is && is !== undefined) this.#write(was, is)
  }

  /** Writes no more columns than a change can have touched: each indexed one costs. */
  #write(was: TaskRecord | undefined, is: TaskRecord): void {
    this.#news.add(is.id)
    const { id, tags, state, created, due, expires, words, record, result, ...names } = toColumns(is)
    const ended = state === 'completed' ? Math.trunc(is.endedAt ?? is.changedAt) : null
    const isMoved = was?.state !== is.state || was.expiresAt !== is.expiresAt
    if (was !== undefined && was.task === is.task) {
      if (isMoved) this.#sql.move.run(state, due, expires, words, ended, record, result, this.#namespace, id)
      else this.#sql.report.run(record, this.#namespace, id)
      return
    }
    const { task, queue, owner, tenant, key, parent } = names
    const called: SqlValue[] = [task, queue, state, owner, tenant, key, parent, JSON.stringify(tags)]
    // what is known by its run alone, or has expired, makes room
    this.#sql.drop.run(this.#namespace, id)
    const { lastInsertRowid } = this.#sql.add.run(this.#namespace, id, ...called, created, due, expires, words, ended, record, result)
    this.#owners.add(Number(lastInsertRowid))
    if (key !== null) this.#sql.setKey.run(this.#namespace, key, id)
  }
}

/** An announcement that is expired when it is made was never there. */
function missing({ id, createdAt, expiresAt }: Announcement): TaskRecord {
  return { ...blank(id, createdAt), expiresAt }
}
