import { newId, systemClock, type Clock } from '#src/core/clock.js'
import type { Run } from '#src/core/run.js'
import type { Announcement, Change, Search, Store, TaskRecord } from '#src/store/store.js'
import type { StoreAddress } from '../kit/store-process.js'
import type { Scope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

/** What a driver gives to be held against the contract. */
export interface StoreHarness {
  /** A connection to the store of this test; all calls with one scope share it, where the driver can. */
  open(scope: Scope, clock: Clock): Promise<Store>
  /** Where other processes find the store of this test. */
  address?(scope: Scope): StoreAddress
  /** Cases this driver cannot pass: name to reason. A case listed here that passes, or that does not exist, fails the suite. */
  readonly except?: Readonly<Record<string, string>>
}

const WORKER = { host: 'here', pid: 1 }
export const ERROR = { name: 'TypeError', message: 'no such order', code: 'E_ORDER' }

/** One test's store, and short ways to write changes. */
export class StoreCase {
  readonly store: Store
  readonly scope: Scope
  readonly clock: TestClock
  readonly #harness: StoreHarness

  constructor(harness: StoreHarness, scope: Scope, clock: TestClock, store: Store) {
    this.#harness = harness
    this.scope = scope
    this.clock = clock
    this.store = store
  }

  /** A further connection to the same tasks, as another process has one. */
  async second(): Promise<Store> {
    return this.scope.use(await this.#harness.open(this.scope, this.clock))
  }

  get address(): StoreAddress {
    if (this.#harness.address === undefined) throw new Error('this driver cannot be reached by another process')
    return this.#harness.address(this.scope)
  }

  announcement(more: Partial<Announcement> = {}): Announcement {
    return { id: newId(), task: 'Shop.buy', queue: 'default', createdAt: this.clock.now(), ...more }
  }

  /** Records a call, and answers its id. */
  async announce(more: Partial<Announcement> & { readonly key?: string } = {}, store = this.store): Promise<string> {
    const call = this.announcement(more)
    await store.record([{ kind: 'announced', ...call, ...more }])
    return call.id
  }

  run(attempt = 1, startedAt = attempt): Run {
    return { attempt, startedAt, worker: WORKER }
  }

  start(id: string, run = this.run()): Change {
    return { kind: 'started', id, at: run.startedAt, run }
  }

  complete(id: string, result?: string, run = this.run()): Change {
    return { kind: 'completed', id, at: this.clock.now(), run, result }
  }

  fail(id: string, run = this.run()): Change {
    return { kind: 'failed', id, at: this.clock.now(), run, error: ERROR }
  }

  retry(id: string, run = this.run(), dueAt?: number): Change {
    return { kind: 'retrying', id, at: this.clock.now(), run, error: ERROR, dueAt }
  }

  progress(id: string, step: number, value: number, data?: string): Change {
    return { kind: 'progressed', id, at: this.clock.now(), run: this.run(), step, progress: { value, data } }
  }

  /** What is known of a task that must be known. */
  async known(id: string, store = this.store): Promise<TaskRecord> {
    const record = await store.find({ id })
    if (record === undefined) throw new Error(`nothing is known of ${id}`)
    return record
  }

  async state(id: string, store = this.store): Promise<string> {
    return (await store.find({ id }))?.state ?? 'unknown'
  }

  /** What a search finds, one page after the other. */
  async allPages(search: Search, store = this.store): Promise<TaskRecord[]> {
    const found: TaskRecord[] = []
    let after: string | undefined
    do {
      const page = await store.search({ ...search, after })
      found.push(...page.records)
      after = page.next
    } while (after !== undefined)
    return found
  }

  async until<T>(what: string, condition: () => T | Promise<T>): Promise<Exclude<T, false | null | undefined>> {
    return until(what, condition)
  }
}

/** The system's clock, which a test can set forward. */
export class TestClock implements Clock {
  #aheadMs = 0

  now(): number {
    return systemClock.now() + this.#aheadMs
  }

  after(ms: number, fn: () => void): () => void {
    return systemClock.after(ms, fn)
  }

  forward(ms: number): void {
    this.#aheadMs += ms
  }
}

/** The code an operation is refused with. */
export async function codeOf(operation: Promise<unknown>): Promise<unknown> {
  try {
    await operation
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error
  }
  return 'not refused'
}

/** Cases by name; the name is a sentence about what holds. */
export type StoreCases = Readonly<Record<string, (c: StoreCase) => Promise<void>>>
