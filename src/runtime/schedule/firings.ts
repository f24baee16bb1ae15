import { createHash } from 'node:crypto'
import type { Store, TaskRecord } from '../../store/store.js'
import { makeContext } from '../../core/context.js'
import { announcementOf } from '../tracking/announcement.js'
import type { Plan } from './plans.js'

/** One time at which a schedule fires. */
export interface Firing {
  /** Of its message: the same in every process. */
  readonly id: string
  readonly dueAt: number
  /** Somebody cancelled it. */
  readonly isCancelled: boolean
}

export interface KnownFirings {
  readonly nextAt?: number | undefined
  readonly lastAt?: number | undefined
}

/** Whose schedules these are. */
export interface Owner {
  readonly service: string
  readonly environment: string
}

/** The firings of all schedules, of which the next one of each is known to all processes. */
export interface Firings {
  /** The next firing; of a time gone by when nothing ran at that time. `undefined` when there is none any more. */
  upcoming(plan: Plan, now: number): Promise<Firing | undefined>
  /**
   * Sets the one that follows `firing`. Of any number of processes one is answered `true`, and is the one that sends it.
   * @param now the following one is due after this time
   */
  claim(plan: Plan, firing: Firing, now: number): Promise<boolean>
  /** Forgets a firing of which nobody will tell how it ends: it is not sent, or its task is not tracked. */
  forget(firing: Firing, now: number): Promise<void>
  /** Firings that were claimed, and whose task nobody has begun to run: it waits, or its leader died before it was sent. */
  waiting(plan: Plan, now: number): Promise<readonly Firing[]>
  /** When it fires next and when it was due last, as far as anybody wrote that down. Changes nothing. */
  known(plan: Plan): Promise<KnownFirings>
}

/**
 * Firings in the store. The next one of a schedule is there as a `scheduled` task, for which the key of the schedule stands; it
 * never expires, so that what was missed is known after any downtime. Its id is made of the firing before it: who announces the
 * next one has claimed this one, and nobody else can.
 */
export class StoredFirings implements Firings {
  readonly #store: Store
  readonly #owner: Owner

  constructor(store: Store, owner: Owner) {
    this.#store = store
    this.#owner = owner
  }

  async upcoming(plan: Plan, now: number): Promise<Firing | undefined> {
    const known = await this.#store.find({ key: keyOf(this.#owner, plan) })
    if (known?.dueAt === undefined) return this.#announceFirst(plan, now)
    if (!known.tags.includes(plan.words)) return this.#replace(plan, known, now)
    return { id: known.id, dueAt: known.dueAt, isCancelled: known.state === 'cancelled' }
  }

  claim(plan: Plan, firing: Firing, now: number): Promise<boolean> {
    const dueAt = plan.times.next(Math.max(now, firing.dueAt)) ?? NEVER
    const id = firingId(this.#owner, plan, `after ${firing.id}`)
    return this.#announce(plan, { id, dueAt, now, last: afterTag(firing.dueAt) })
  }

  async forget({ id }: Firing, now: number): Promise<void> {
    await this.#store.record([{ kind: 'cancelled', id, at: now, expiresAt: now }])
  }

  async waiting(plan: Plan, now: number): Promise<readonly Firing[]> {
    const key = keyOf(this.#owner, plan)
    const next = await this.#store.find({ key })
    const { records } = await this.#store.search({ key, states: ['queued'] })
    return records.flatMap(({ id, dueAt, runs }) =>
      id !== next?.id && runs.length === 0 && dueAt !== undefined && dueAt <= now ? [{ id, dueAt, isCancelled: false }] : [],
    )
  }

  async known(plan: Plan): Promise<KnownFirings> {
    const record = await this.#store.find({ key: keyOf(this.#owner, plan) })
    if (record === undefined) return {}
    const last = lastTagOf(record)
    return { nextAt: record.state === 'cancelled' ? undefined : record.dueAt, lastAt: last === undefined ? undefined : Date.parse(last.slice(AFTER.length)) }
  }

  /** `before`: the one that it comes in place of. */
  async #announceFirst(plan: Plan, now: number, before?: TaskRecord): Promise<Firing | undefined> {
    const dueAt = plan.times.next(now)
    if (dueAt === undefined) return undefined
    const id = firingId(this.#owner, plan, before === undefined ? `first ${dueAt}` : `instead of ${before.id}`)
    await this.#announce(plan, { id, dueAt, now, last: lastTagOf(before) })
    const known = await this.#store.find({ key: keyOf(this.#owner, plan) })
    return known?.dueAt === undefined ? undefined : { id: known.id, dueAt: known.dueAt, isCancelled: false }
  }

  /** The times of the schedule were changed: what it would have fired at does not count any more. */
  async #replace(plan: Plan, known: TaskRecord, now: number): Promise<Firing | undefined> {
    await this.forget({ ...known, dueAt: now, isCancelled: true }, now)
    return this.#announceFirst(plan, now, known)
  }

  async #announce(plan: Plan, { id, dueAt, now, last }: Announced): Promise<boolean> {
    const { name: task, declaration } = plan.task
    const options = { queue: declaration.options.queue, delayMs: 0, tags: ['schedule', plan.words, ...(last === undefined ? [] : [last])] }
    const called = announcementOf({ id, task, context: makeContext(plan.as), options, isReadOnce: declaration.options.resultOnce, sentAt: now, expiresAt: undefined }, 0)
    const [recorded] = await this.#store.record([{ ...called, key: keyOf(this.#owner, plan), dueAt }])
    return recorded?.applied === true
  }
}

interface Announced {
  readonly id: string
  readonly dueAt: number
  readonly now: number
  /** The tag that tells of the firing before. */
  readonly last: string | undefined
}

const AFTER = 'after '
const afterTag = (dueAt: number): string => `${AFTER}${new Date(dueAt).toISOString()}`
const lastTagOf = (record: TaskRecord | undefined): string | undefined => record?.tags.find((tag) => tag.startsWith(AFTER))

/** The year 9999: a schedule without another time waits for it. */
const NEVER = Date.UTC(9999, 0, 1)

/**
 * Firings that only this process knows, where there is no store: nothing is known of those missed, and two processes that both lead
 * for a moment may send one each.
 */
export class LocalFirings implements Firings {
  readonly #owner: Owner
  readonly #after = new Map<string, number>()

  constructor(owner: Owner) {
    this.#owner = owner
  }

  async upcoming(plan: Plan, now: number): Promise<Firing | undefined> {
    const dueAt = plan.times.next(Math.max(now, this.#after.get(plan.name) ?? now))
    return dueAt === undefined ? undefined : { id: firingId(this.#owner, plan, `at ${dueAt}`), dueAt, isCancelled: false }
  }

  async claim(plan: Plan, { dueAt }: Firing): Promise<boolean> {
    this.#after.set(plan.name, dueAt)
    return true
  }

  async forget(): Promise<void> {}

  async waiting(): Promise<readonly Firing[]> {
    return []
  }

  async known(): Promise<KnownFirings> {
    return {}
  }
}

const keyOf = ({ environment }: Owner, { name }: Plan): string => `schedule:${environment}:${name}`

/** In the form of a UUID of version 8 (RFC 9562). */
function firingId({ service, environment }: Owner, { name }: Plan, which: string): string {
  const hash = createHash('sha256').update(JSON.stringify([service, environment, name, which])).digest('hex')
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-a${hash.slice(17, 20)}-${hash.slice(20, 32)}`
}
