import { systemClock, type Clock } from '../core/clock.js'
import { silentLogger, type Logger } from '../core/logger.js'
import type { TaskState } from '../core/lifecycle.js'
import { ErrandError } from '../errors.js'
import { stateAt } from './apply.js'
import { announcing, applyAll, isExpired, joins } from './begin.js'
import { boundChange, refuseName } from './bounds.js'
import { matches, pageOf, resolveSearch, type Place } from './search.js'
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
} from './store.js'
import { Watchers } from './watchers.js'

export interface MemoryStoreOptions {
  /** Where time comes from. @defaultValue the system's clock */
  readonly clock?: Clock | undefined
  /** Hears of watchers that throw. @defaultValue says nothing */
  readonly log?: Logger | undefined
}

/** Opens a store that lives and dies with this process: for tests, and the plainest statement of what a store does. */
export function openMemoryStore({ clock = systemClock, log = silentLogger }: MemoryStoreOptions = {}): Store {
  return new MemoryStore(clock, log)
}

class MemoryStore implements Store {
  readonly #records = new Map<string, TaskRecord>()
  readonly #ids = new Map<string, string>()
  readonly #watchers: Watchers
  readonly #clock: Clock
  #isClosed = false

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock
    this.#watchers = new Watchers((error) => log.error(`A watcher of tasks failed. ${String(error)}`))
  }

  async record(changes: readonly Change[]): Promise<readonly Recorded[]> {
    this.#refuseClosed('record changes')
    return this.#apply(changes.map(boundChange))
  }

  async begin(key: string, announcement: Announcement, join: readonly TaskState[] = UNFINISHED): Promise<Begun> {
    this.#refuseClosed('begin a task')
    const change = boundChange(announcing(key, announcement))
    const current = this.#byKey(key)
    if (joins(current, join, this.#clock.now())) return { isNew: current.id === announcement.id, record: this.#shown(current) }
    this.#apply([change])
    this.#ids.set(key, announcement.id)
    return { isNew: true, record: this.#known(announcement.id) }
  }

  async find(by: { readonly id: string } | { readonly key: string }): Promise<TaskRecord | undefined> {
    this.#refuseClosed('find a task')
    const record = 'id' in by ? this.#live(by.id) : this.#byKey(by.key)
    return record === undefined ? undefined : this.#shown(record)
  }

  async search(search: Search): Promise<Page> {
    this.#refuseClosed('search tasks')
    const resolved = resolveSearch(search)
    const now = this.#clock.now()
    const found = [...this.#records.values()]
      .filter((record) => !isExpired(record, now) && matches(record, resolved, now) && isAfter(record, resolved.after))
      .sort(byPlace)
      .slice(0, resolved.limit + 1)
    return pageOf(found.map((record) => withoutResult(this.#shown(record))), resolved.limit)
  }

  async watch(ids: readonly string[] | 'all', onChange: (id: string) => void): Promise<Watch> {
    this.#refuseClosed('watch tasks')
    return this.#watchers.add(ids, onChange)
  }

  async expire(): Promise<number> {
    this.#refuseClosed('remove what has expired')
    const now = this.#clock.now()
    const gone = [...this.#records.values()].filter((record) => isExpired(record, now))
    for (const { id } of gone) this.#records.delete(id)
    for (const [key, id] of this.#ids) if (!this.#records.has(id)) this.#ids.delete(key)
    return gone.length
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#watchers.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #apply(changes: readonly Change[]): readonly Recorded[] {
    const changed = new Set<string>()
    const write = (record: TaskRecord): void => {
      this.#records.set(record.id, record)
      changed.add(record.id)
    }
    const answers = applyAll(changes, (id) => this.#live(id), write)
    for (const change of changes) {
      if (change.kind === 'announced' && change.key !== undefined && changed.has(change.id)) this.#ids.set(change.key, change.id)
    }
    // who watches may record in turn
    if (changed.size > 0) queueMicrotask(() => changed.forEach((id) => this.#watchers.tell(id)))
    return answers
  }

  #live(id: string): TaskRecord | undefined {
    const record = this.#records.get(id)
    return record === undefined || isExpired(record, this.#clock.now()) ? undefined : record
  }

  #byKey(key: string): TaskRecord | undefined {
    refuseName('key', key)
    const id = this.#ids.get(key)
    return id === undefined ? undefined : this.#live(id)
  }

  #known(id: string): TaskRecord {
    const record = this.#live(id)
    if (record === undefined) throw new ErrandError('OPTION_INVALID', `Task ${id} was to begin, and is expired. Give it a later end.`)
    return this.#shown(record)
  }

  #shown(record: TaskRecord): TaskRecord {
    return { ...record, state: stateAt(record, this.#clock.now()) }
  }

  #refuseClosed(what: string): void {
    if (this.#isClosed) throw new ErrandError('STORE_CLOSED', `Cannot ${what}: the store is closed. Open a new one.`)
  }
}

function withoutResult({ result: _result, ...record }: TaskRecord): TaskRecord {
  return record
}

function byPlace(one: Place, other: Place): number {
  return other.createdAt - one.createdAt || (one.id < other.id ? 1 : one.id > other.id ? -1 : 0)
}

function isAfter(record: Place, place: Place | undefined): boolean {
  return place === undefined || byPlace(place, record) < 0
}
