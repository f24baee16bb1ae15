import type { Clock } from '../../core/clock.js'
import { TASK_STATES, type TaskState } from '../../core/lifecycle.js'
import type { Logger } from '../../core/logger.js'
import { Patience } from '../../core/patience.js'
import { ErrandError } from '../../errors.js'
import type { Announced, Announcement, Begun, Change, RecordedError, Recorded, Store } from '../../store/store.js'
import type { Answer } from './answer.js'
import type { OneFile, Sending } from './one-file.js'
import { Outage } from './outage.js'
import { claimOf, keyOfCopies, type Copy } from './copies.js'
import { recordedError } from './recorded-error.js'

export interface TrackingParts {
  readonly store: Store
  /** Where the store and the broker share one. */
  readonly oneFile?: OneFile | undefined
  /** How long a call may take to reach the broker, where that is another system. @defaultValue 60,000 */
  readonly sendingMs?: number | undefined
  readonly settings: { readonly keepCompletedMs: number; readonly keepFailedMs: number }
  readonly clock: Clock
  readonly log: Logger
}

const SENDING_MS = 60_000
const PATIENCE_MS = 100
/** The year 9999: nothing sends a follow-up before the call that it follows has ended. */
export const NOT_SENT = Date.UTC(9999, 0, 1)

/** A key, and the states in which a task for which it stands is joined. */
export interface OneFlight {
  readonly key: string
  readonly join: readonly TaskState[]
}

/**
 * Writes down how tasks stand. Nothing that fails in the store fails a task, or holds it up for long: while the store is away, changes are
 * tried and nobody waits for them.
 */
export class Tracking {
  readonly store: Store
  readonly keepFailedMs: number
  /** For what has only to be looked at where a run lasts. */
  readonly patience: Patience
  readonly #parts: TrackingParts
  readonly #outage: Outage

  constructor(parts: TrackingParts) {
    this.store = parts.store
    this.keepFailedMs = parts.settings.keepFailedMs
    this.patience = new Patience(parts.clock, PATIENCE_MS)
    this.#outage = new Outage(parts.log)
    this.#parts = parts
  }

  /**
   * Sends the message of a call and makes the call known, with those that are to follow it: in one transaction where that can be, else both at once.
   * @throws what sending rejects with; then the calls are recorded as failed, unless it may have been sent all the same
   */
  announce(call: Announced, sending: Sending, following: readonly Announced[] = []): Promise<void> {
    const { oneFile } = this.#parts
    const calls = following.length === 0 ? [call] : [call, ...following]
    if (oneFile === undefined) return this.#announceApart(calls, sending)
    const alone = (error: unknown): Promise<void> => this.#sendAlone(sending, error)
    try {
      const [record, publish] = [oneFile.recording(calls), oneFile.publishing(sending.message)]
      const work = (): void => {
        record()
        publish()
      }
      return this.#outage.endsWith(oneFile.submit(work, alone))
    } catch (error) {
      return alone(error)
    }
  }

  /**
   * Sends the message of a call unless `key` stands for a task that it joins, and answers the task for which the key stands then.
   * Without a common transaction the key is taken first; it is free again when the message is refused, and when its caller dies before
   * the message is there, `sendingMs` later.
   * @throws what sending rejects with, and ErrandError `STORE_UNREACHABLE`: without the store nobody knows what runs
   */
  async announceOnce({ key, join }: OneFlight, announcement: Announcement, sending: Sending): Promise<Begun> {
    const { oneFile, clock, sendingMs = SENDING_MS } = this.#parts
    const { id } = announcement
    if (oneFile !== undefined) {
      const [begin, publish] = [oneFile.beginning(key, announcement, join), oneFile.publishing(sending.message)]
      return oneFile.submit(() => {
        const begun = begin()
        if (begun.isNew) publish()
        return begun
      })
    }
    const begun = await this.store.begin(key, { ...announcement, sendingUntil: clock.now() + sendingMs }, join)
    if (!begun.isNew) return begun
    await sending.send().catch((error: unknown) => this.#refusedUnlessSent([announcement], error))
    await this.record([{ kind: 'sent', id, at: clock.now() }])
    return begun
  }

  /**
   * Sends a message that had to wait, for the call that it follows or for a commit, and makes that known, unless it is known that it
   * was sent: in one transaction where that can be. Where it cannot, it may be sent once more after a crash; see {@link takesCopy}.
   * @returns whether it was sent here
   * @throws what sending rejects with
   */
  async announceDeferred(announcement: Announced, sending: Sending, following: readonly Announced[] = []): Promise<boolean> {
    const { oneFile, clock } = this.#parts
    const { id, expiresAt } = announcement
    const happened = { id, at: clock.now(), expiresAt, sendingUntil: NOT_SENT }
    // it had failed with the call before it, which was sent once more
    const known: Change[] = [{ ...announcement, sendingUntil: NOT_SENT }, { kind: 'revived', ...happened }, ...following]
    const sent: Change = { kind: 'sent', id, at: happened.at, expiresAt }
    if (await this.#isSent(id)) {
      // whoever sent it may not have brought it to the disk yet
      await oneFile?.submit(ignore)
      return false
    }
    if (oneFile === undefined) {
      await this.record(known)
      await sending.send()
      await this.record([sent])
      return true
    }
    try {
      const [record, publish] = [oneFile.recording([...known, sent]), oneFile.publishing(sending.message)]
      return await oneFile.submit(() => isToBeSent(record().at(-1)) && publish())
    } catch (error) {
      await this.#sendAlone(sending, error)
      return true
    }
  }

  /**
   * Whether a message of a follow-up is the one that is run: of several that were sent after crashes, the one that asks first. Its own
   * further deliveries are told so again. Without a store to ask each is.
   */
  async takesCopy(copy: Copy): Promise<boolean> {
    if (this.isInOneFile) return true
    const at = this.#parts.clock.now()
    const claim = claimOf(copy, at)
    try {
      const { isNew } = await this.store.begin(keyOfCopies(copy), claim, TASK_STATES)
      // nobody is to take it for a task that waits
      if (isNew) await this.record([{ kind: 'cancelled', id: claim.id, at }])
      return isNew
    } catch (error) {
      this.#outage.failed(error)
      return true
    }
  }

  /**
   * Makes known that a task which failed is sent once more, and may wait until `waitsUntil`. To be called before its message is sent.
   * @throws ErrandError `STORE_UNREACHABLE`, `STORE_REFUSED`, `STORE_CLOSED`: what its next run comes to would not be known
   */
  async revive(id: string, waitsUntil: number | undefined): Promise<void> {
    const expiresAt = waitsUntil === undefined ? undefined : waitsUntil + this.keepFailedMs
    await this.store.record([{ kind: 'revived', id, at: this.#parts.clock.now(), expiresAt }])
  }

  /** Records changes, in their order. Never rejects: `undefined` where that failed, and at once while the store is away. */
  record(changes: readonly Change[]): Promise<readonly Recorded[] | undefined> {
    const written = this.store.record(changes).then(this.#outage.over, this.#outage.failed)
    return this.#outage.isAway ? NOT_WAITED_FOR : written
  }

  /**
   * Records the end of a task and answers its caller, unless the task was cancelled before: in one transaction where that can be. Never
   * rejects.
   */
  recordAndAnswer(changes: readonly Change[], answer: Answer): Promise<readonly Recorded[] | undefined> {
    const { oneFile } = this.#parts
    if (oneFile === undefined) return this.#recordThenAnswer(changes, answer)
    const alone = (error: unknown): Promise<undefined> => this.#answerAlone(answer, error)
    try {
      const [record, publish] = [oneFile.recording(changes), oneFile.publishing(answer.message)]
      const work = (): readonly Recorded[] | undefined => {
        const recorded = record()
        if (isNotCancelled(recorded)) publish()
        return recorded
      }
      return this.#outage.endsWith(oneFile.submit(work, alone))
    } catch (error) {
      return alone(error)
    }
  }

  /** Absent where the store and the broker have no transaction in common. */
  get begin(): OneFile['beginRun'] | undefined {
    const { oneFile } = this.#parts
    return oneFile === undefined ? undefined : (id, run, except) => oneFile.beginRun(id, run, except)
  }

  /** Whether the store and the broker share a file, and one writer, which keeps the order of what it is handed. */
  get isInOneFile(): boolean {
    return this.#parts.oneFile !== undefined
  }

  /** Now, by the clock of this process. */
  now(): number {
    return this.#parts.clock.now()
  }

  /** Calls `fn` once after `ms`, unless the answer is called before. */
  after(ms: number, fn: () => void): () => void {
    return this.#parts.clock.after(ms, fn)
  }

  /** When what is known of a task is forgotten that ended now. `keepMs` is its own time. */
  expiryOf(end: 'completed' | 'cancelled' | 'failed', keepMs: number | undefined): number {
    const { settings, clock } = this.#parts
    return clock.now() + (keepMs ?? (end === 'failed' ? settings.keepFailedMs : settings.keepCompletedMs))
  }

  /** Records that a task failed without a run of it; answers where it stands, if that is known. */
  async refused(id: string, error: RecordedError): Promise<TaskState | undefined> {
    const recorded = await this.record([{ kind: 'failed', id, at: this.#parts.clock.now(), error, expiresAt: this.expiryOf('failed', undefined) }])
    return recorded?.[0]?.state
  }

  #announceApart(calls: readonly Announced[], { send }: Sending): Promise<void> {
    const written = this.record(calls)
    const known = (): Promise<void> => written.then(ignore)
    // a call whose message was refused has failed, as soon as it is known
    return send().then(known, async (error: unknown) => {
      await written
      return this.#refusedUnlessSent(calls, error)
    })
  }

  async #recordThenAnswer(changes: readonly Change[], { send, unsent }: Answer): Promise<readonly Recorded[] | undefined> {
    const recorded = await this.record(changes)
    if (isNotCancelled(recorded)) await send().catch(unsent)
    return recorded
  }

  async #refusedUnlessSent(calls: readonly Announcement[], error: unknown): Promise<never> {
    if (!mayBePublished(error)) for (const { id } of calls) await this.refused(id, recordedError(error))
    throw error
  }

  /** Nothing was stored, and the answer matters more; what may be stored all the same is not sent twice. */
  async #answerAlone({ send, unsent }: Answer, cause: unknown): Promise<undefined> {
    this.#outage.failed(cause)
    if (isOfStore(cause)) await send().catch(unsent)
    else unsent(cause)
  }

  /** Neither was stored; the message matters more. @throws `error` where it is not the store's, and what sending rejects with */
  #sendAlone({ send }: Sending, error: unknown): Promise<void> {
    if (!isOfStore(error)) return Promise.reject(error)
    this.#outage.failed(error)
    return send()
  }

  async #isSent(id: string): Promise<boolean> {
    try {
      const record = await this.store.find({ id })
      return record?.task !== undefined && record.sendingUntil === undefined
    } catch (error) {
      this.#outage.failed(error)
      return false
    }
  }
}

const NOT_WAITED_FOR: Promise<undefined> = Promise.resolve(undefined)

const ignore = (): void => {}

const isNotCancelled = (recorded: readonly Recorded[] | undefined): boolean => recorded?.at(-1)?.state !== 'cancelled'

/** The store refused, or the call cannot be described to it; the broker has not said anything. */
const isOfStore = (error: unknown): boolean =>
  error instanceof ErrandError && (error.code.startsWith('STORE_') || error.code === 'OPTION_INVALID')

/** What ended before it was sent is sent all the same: who receives it tells whoever waits for it, and what follows it. */
const isToBeSent = (recorded: Recorded | undefined): boolean =>
  recorded?.applied === true || recorded?.state === 'failed' || recorded?.state === 'cancelled'

/** Without a confirm nobody knows whether the message will be delivered: then a worker has the last word. */
const mayBePublished = (error: unknown): boolean => error instanceof ErrandError && error.code === 'PUBLISH_TIMEOUT'
