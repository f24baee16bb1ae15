import type { Clock } from '../../core/clock.js'
import type { TaskState } from '../../core/lifecycle.js'
import type { Logger } from '../../core/logger.js'
import { promised } from '../../core/promised.js'
import type { Run } from '../../core/run.js'
import { ErrandError } from '../../errors.js'
import type { Bell } from '../../sqlite/bell.js'
import { sqliteFailure } from '../../sqlite/failure.js'
import { untilNotBusy } from '../../sqlite/lock.js'
import type { Room } from '../../sqlite/room.js'
import { stateAt } from '../apply.js'
import { announcing } from '../begin.js'
import { boundChange, refuseName } from '../bounds.js'
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
import { storeFailure } from './failure.js'
import { StoreLedger } from './ledger.js'

/** What `openSqliteStore` has opened and resolved. */
export interface SqliteStoreParts {
  readonly room: Room
  readonly bell: Bell
  readonly namespace: string
  readonly clock: Clock
  readonly log: Logger
}

/** How often a watching process looks by itself, for commits whose bell was not heard. */
const TICK_MS = 500

/** States of tasks in an SQLite file that the processes of one machine share. */
export class SqliteStore implements Store {
  readonly #parts: SqliteStoreParts
  readonly #ledger: StoreLedger
  readonly #watchers: Watchers
  readonly #endListening: readonly (() => void)[]
  #cancelTick: (() => void) | undefined
  /** The last change that watchers were told. */
  #told = 0
  #closing: Promise<void> | undefined

  constructor(parts: SqliteStoreParts) {
    this.#parts = parts
    this.#ledger = new StoreLedger(parts.room.db, parts.namespace)
    this.#watchers = new Watchers((error) => parts.log.error(`A watcher of tasks failed. ${String(error)}`))
    this.#endListening = [parts.room.onEnding(() => this.#ledger.endWrite()), parts.room.onCommit(() => this.#tellNews())]
  }

  record(changes: readonly Change[]): Promise<readonly Recorded[]> {
    return promised(() => {
      const apply = this.recording(changes)
      if (changes.length === 0) return []
      return this.#parts.room.writer.submit(apply, { failed: refusal, early: changes.every(isBegin) })
    })
  }

  /**
   * Runs what {@link recording}, {@link beginning} and a part that shares the room have answered, in one transaction: all of it is stored or
   * none. Handed in at once.
   * @throws what `failed` makes of ErrandError `STORE_UNREACHABLE`, `STORE_REFUSED`, or of `PUBLISH_TIMEOUT`: it is stored, and may not survive
   * a power cut
   */
  submit<T>(work: () => T, failed: (error: unknown) => T | Promise<T> = refuse): Promise<T> {
    return this.#parts.room.writer.submit(work, { failed: (error) => failed(storeFailure(error)) })
  }

  /** What {@link record} does within a transaction. @throws ErrandError `STORE_CLOSED`, `PAYLOAD_TOO_LARGE`, `OPTION_INVALID` */
  recording(changes: readonly Change[]): () => readonly Recorded[] {
    this.#refuseClosed('record changes')
    const bounded = changes.map(boundChange)
    return () => this.#ledger.apply(bounded, this.#parts.clock.now())
  }

  /** What {@link begin} does within a transaction. @throws as {@link recording} does */
  beginning(key: string, announcement: Announcement, join: readonly TaskState[] = UNFINISHED): () => Begun {
    this.#refuseClosed('begin a task')
    boundChange(announcing(key, announcement))
    return () => {
      const { isNew, record } = this.#ledger.begin(key, announcement, join, this.#parts.clock.now())
      return { isNew, record: this.#shown(record) }
    }
  }

  /**
   * For a part that shares the room, within a transaction: writes down that a run of a task begins that is known to wait and is none of
   * `except`. Answers whether it did.
   */
  beginWithin(id: string, run: Run, except: ReadonlySet<string>): boolean {
    return this.#ledger.beginRun(id, run, { except, now: this.#parts.clock.now() })
  }

  async begin(key: string, announcement: Announcement, join: readonly TaskState[] = UNFINISHED): Promise<Begun> {
    return this.submit(this.beginning(key, announcement, join))
  }

  async find(by: { readonly id: string } | { readonly key: string }): Promise<TaskRecord | undefined> {
    if ('key' in by) refuseName('key', by.key)
    const now = this.#parts.clock.now()
    const look = (): TaskRecord | undefined => ('id' in by ? this.#ledger.find(by.id, now) : this.#ledger.findByKey(by.key, now))
    const record = await this.#read('find a task', look)
    // who is told of a result may act on it at once: it has to be on the disk by then, whoever wrote it
    if (record?.state === 'completed') await this.#parts.room.writer.flushed()
    return record === undefined ? undefined : this.#shown(record)
  }

  async search(search: Search): Promise<Page> {
    const resolved = resolveSearch(search)
    const found = await this.#read('search tasks', () => this.#ledger.search(resolved, this.#parts.clock.now()))
    return pageOf(
      found.map((record) => this.#shown(record)),
      resolved.limit,
    )
  }

  async watch(ids: readonly string[] | 'all', onChange: (id: string) => void): Promise<Watch> {
    const last = await this.#read('watch tasks', () => this.#ledger.lastChange())
    if (this.#watchers.isEmpty) this.#told = last
    this.#parts.bell.listen(() => this.#look())
    this.#cancelTick ??= this.#parts.clock.after(TICK_MS, () => this.#tick())
    return this.#watchers.add(ids, onChange)
  }

  async expire(): Promise<number> {
    this.#refuseClosed('remove what has expired')
    let removed = 0
    for (;;) {
      const count = await this.submit(() => this.#ledger.expire(this.#parts.clock.now()))
      if (count === 0) return removed
      removed += count
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
    const { room, bell } = this.#parts
    this.#cancelTick?.()
    this.#watchers.clear()
    await room.writer.idle()
    for (const end of this.#endListening) end()
    bell.close()
    await room.leave()
  }

  async #read<T>(what: string, work: () => T): Promise<T> {
    this.#refuseClosed(what)
    try {
      this.#parts.room.opened.check()
      return await untilNotBusy(work)
    } catch (error) {
      throw storeFailure(sqliteFailure(`Cannot ${what}`, this.#parts.room.file, error))
    }
  }

  #refuseClosed(what: string): void {
    if (this.#closing === undefined) return
    throw new ErrandError('STORE_CLOSED', `Cannot ${what}: the store in ${this.#parts.room.file} is closed. Open a new one.`)
  }

  #shown(record: TaskRecord): TaskRecord {
    return { ...record, state: stateAt(record, this.#parts.clock.now()) }
  }

  #tellNews(): void {
    if (!this.#ledger.takeNews()) return
    this.#parts.bell.ring()
    // after the promises of the changes: who recorded knows first
    setImmediate(() => this.#look())
  }

  #look(): void {
    if (this.#closing !== undefined || this.#watchers.isEmpty) return
    try {
      const { ids, last } = this.#ledger.changedSince(this.#told)
      this.#told = last
      for (const id of ids) this.#watchers.tell(id)
    } catch (error) {
      // the next tick looks again
      this.#parts.log.warn(`Cannot look for changed tasks in ${this.#parts.room.file}. ${String(error)}`)
    }
  }

  #tick(): void {
    this.#cancelTick = undefined
    if (this.#watchers.isEmpty) return
    this.#cancelTick = this.#parts.clock.after(TICK_MS, () => this.#tick())
    this.#look()
  }
}

const refusal = (error: unknown): never => refuse(storeFailure(error))

/** A body waits for it, and a power cut would end that too. */
const isBegin = ({ kind }: Change): boolean => kind === 'started'

function refuse(error: unknown): never {
  throw error
}
