import { createHash } from 'node:crypto'
import type { TaskState } from '../../core/lifecycle.js'
import { ErrandError } from '../../errors.js'
import { stateAt } from '../apply.js'
import { announcing } from '../begin.js'
import { boundChange, isId, refuseName } from '../bounds.js'
import { exact, fromColumns } from '../columns.js'
import { conditionsOf, type Dialect } from '../conditions.js'
import { pageOf, resolveSearch } from '../search.js'
import {
  UNFINISHED,
  type Announcement,
  type Begun,
  type Change,
  type Page,
  type Recorded,
  type Search,
  type Store,
  type TaskRecord,
  type Watch,
} from '../store.js'
import { Watchers } from '../watchers.js'
import { Link } from './link.js'
import { Listener } from './listener.js'
import { resolvePostgresOptions, type PostgresStoreOptions, type ResolvedPostgresOptions } from './options.js'
import { migratePostgres } from './schema.js'
import { Writer } from './writer.js'

const DIALECT: Dialect = { hasTag: '? = ANY(tags)', hasText: 'position(? IN words) > 0' }
/** Records removed in one transaction at most. */
const MOST_EXPIRED = 1_000

/**
 * Opens the store of task states in a PostgreSQL database that the processes of many hosts share. It holds up to three connections:
 * to write, to read, and to hear of changes where something is watched.
 * @throws ErrandError `OPTION_INVALID`, `PACKAGE_MISSING`, `STORE_UNREACHABLE`, `STORE_REFUSED`, `DRIVER_UNSUPPORTED`
 */
export async function openPostgresStore(given: PostgresStoreOptions): Promise<Store> {
  const options = resolvePostgresOptions(given)
  const link = new Link(options)
  try {
    await link.run('Cannot prepare the tables of the store', (client) => migratePostgres(client, options.schema))
  } catch (error) {
    await link.close()
    throw error
  }
  return new PostgresStore(options, link)
}

class PostgresStore implements Store {
  readonly #options: ResolvedPostgresOptions
  readonly #writing: Link
  readonly #reading: Link
  readonly #writer: Writer
  readonly #watchers: Watchers
  readonly #channel: string
  #listener: Promise<Listener> | undefined
  #closing: Promise<void> | undefined

  constructor(options: ResolvedPostgresOptions, writing: Link) {
    const { schema, namespace, clock, log } = options
    this.#options = options
    this.#writing = writing
    this.#reading = new Link(options)
    this.#channel = `errand_${createHash('sha256').update(`${schema}:${namespace}`).digest('hex').slice(0, 32)}`
    this.#writer = new Writer(writing, { schema, namespace, channel: this.#channel, now: () => clock.now() })
    this.#watchers = new Watchers((error) => log.error(`A watcher of tasks failed. ${String(error)}`))
  }

  async record(changes: readonly Change[]): Promise<readonly Recorded[]> {
    this.#refuseClosed('record changes')
    const bounded = changes.map(boundChange)
    if (bounded.length === 0) return []
    // a batch answers each order in kind, here and below
    return (await this.#writer.submit({ kind: 'record', changes: bounded })) as readonly Recorded[]
  }

  async begin(key: string, announcement: Announcement, join: readonly TaskState[] = UNFINISHED): Promise<Begun> {
    this.#refuseClosed('begin a task')
    boundChange(announcing(key, announcement))
    const { isNew, record } = (await this.#writer.submit({ kind: 'begin', key, announcement, join })) as Begun
    return { isNew, record: this.#shown(record) }
  }

  async find(by: { readonly id: string } | { readonly key: string }): Promise<TaskRecord | undefined> {
    if ('key' in by) refuseName('key', by.key)
    else if (!isId(by.id)) return undefined
    const { schema, namespace } = this.#options
    const where = 'id' in by ? 'id = $2' : `id = (SELECT id FROM ${schema}.task_key WHERE namespace = $1 AND key = $2)`
    const [record] = await this.#rows(
      'Cannot find a task',
      `SELECT record, result FROM ${schema}.task WHERE namespace = $1 AND ${where} AND (expires IS NULL OR expires > $3)`,
      [namespace, 'id' in by ? by.id : exact(by.key), this.#options.clock.now()],
    )
    return record
  }

  async search(search: Search): Promise<Page> {
    const resolved = resolveSearch(search)
    const { schema, namespace, clock } = this.#options
    const { sql, values } = conditionsOf(resolved, { namespace, now: clock.now() }, DIALECT)
    let number = 0
    const where = sql.replaceAll('?', () => `$${++number}`)
    const text = `SELECT record FROM ${schema}.task WHERE ${where} ORDER BY created DESC, id DESC LIMIT ${resolved.limit + 1}`
    return pageOf(await this.#rows('Cannot search tasks', text, values), resolved.limit)
  }

  async watch(ids: readonly string[] | 'all', onChange: (id: string) => void): Promise<Watch> {
    this.#refuseClosed('watch tasks')
    this.#listener ??= this.#listen()
    try {
      await this.#listener
    } catch (error) {
      this.#listener = undefined
      throw error
    }
    return this.#watchers.add(ids, onChange)
  }

  async expire(): Promise<number> {
    this.#refuseClosed('remove what has expired')
    const { schema, clock } = this.#options
    const sql = `WITH gone AS (SELECT namespace, id FROM ${schema}.task WHERE expires <= $1 LIMIT ${MOST_EXPIRED} FOR UPDATE SKIP LOCKED),
      keys AS (DELETE FROM ${schema}.task_key k USING gone g WHERE k.namespace = g.namespace AND k.id = g.id)
      DELETE FROM ${schema}.task t USING gone g WHERE t.namespace = g.namespace AND t.id = g.id RETURNING t.id`
    let removed = 0
    for (;;) {
      const { rows } = await this.#reading.run('Cannot remove what has expired', (client) => client.query(sql, [clock.now()]))
      removed += rows.length
      if (rows.length < MOST_EXPIRED) return removed
    }
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<void> {
    this.#watchers.clear()
    await this.#writer.idle()
    const listener = await this.#listener?.catch(() => undefined)
    await Promise.all([listener?.close(), this.#writing.close(), this.#reading.close()])
  }

  async #listen(): Promise<Listener> {
    const listener = new Listener(this.#options, {
      channel: this.#channel,
      onIds: (ids) => ids.forEach((id) => this.#watchers.tell(id)),
      changedWithin: (ms) => this.#changedWithin(ms),
    })
    await this.#reading.run('Cannot watch tasks', () => listener.open())
    return listener
  }

  async #changedWithin(ms: number): Promise<readonly string[]> {
    const { schema, namespace } = this.#options
    const sql = `SELECT id FROM ${schema}.task WHERE namespace = $1 AND written >= clock_timestamp() - $2 * interval '1 millisecond'`
    const { rows } = await this.#reading.run('Cannot watch tasks', (client) => client.query(sql, [namespace, Math.ceil(ms)]))
    // the column of the statement
    return (rows as { id: string }[]).map(({ id }) => id)
  }

  async #rows(what: string, sql: string, values: readonly unknown[]): Promise<TaskRecord[]> {
    this.#refuseClosed(what.replace('Cannot ', ''))
    const { rows } = await this.#reading.run(what, (client) => client.query(sql, values))
    // the columns of the statement
    return (rows as { record: string; result?: string | null }[]).map((row) => this.#shown(fromColumns(row)))
  }

  #refuseClosed(what: string): void {
    if (this.#closing === undefined) return
    throw new ErrandError('STORE_CLOSED', `Cannot ${what}: the store at ${this.#options.shownUrl} is closed. Open a new one.`)
  }

  #shown(record: TaskRecord): TaskRecord {
    return { ...record, state: stateAt(record, this.#options.clock.now()) }
  }
}
