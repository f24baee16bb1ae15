import { ErrandError } from '../errors.js'
import type { Database } from './driver.js'
import { isFull, sqliteFailure } from './failure.js'
import { untilNotBusy } from './lock.js'

interface Job {
  work(): unknown
  resolve(answer: unknown): void
  reject(error: unknown): void
}

/** What else is done around each transaction. */
export interface CommitHooks {
  /** Before it begins; what this throws refuses everything that waits. */
  readonly before?: () => void
  /** Within it, after the last change. As the changes it may be called again after a roll-back. */
  readonly ending?: () => void
  /** After its commit, before the promises of its changes resolve. */
  readonly after?: () => void
}

/** Rows changed in one transaction at most, about: a longer one would keep the lock from the other processes. */
const MOST_JOBS = 250

/**
 * The only writer of a connection. Everything handed in within one turn of the event loop, and while a commit waits for the
 * lock, goes into one transaction with one flush; a lone change waits for nobody.
 */
export class GroupCommit {
  readonly #db: Database
  readonly #file: string
  readonly #hooks: CommitHooks
  #jobs: Job[] = []
  /** Where `submit` puts its job instead, while `both` collects. */
  #collected: Job[] | undefined
  #running: Promise<void> | undefined
  /** There was no room on the disk for more of the write-ahead log. */
  #hasNoRoom = false

  constructor(db: Database, file: string, hooks: CommitHooks = {}) {
    this.#db = db
    this.#file = file
    this.#hooks = hooks
  }

  /**
   * Runs `work` inside a write transaction together with others and resolves with its answer after the commit. `work` may run
   * more than once, the earlier runs rolled back: it must do nothing but ask and change the database.
   * @throws ErrandError `QUEUE_FULL`, `BROKER_REFUSED`, `BROKER_UNREACHABLE`, or what `failureOf` makes of that: the change was not stored
   */
  submit<T>(work: () => T, failureOf?: (error: unknown) => unknown): Promise<T> {
    return new Promise<T>((resolve, refuse) => {
      const reject = failureOf === undefined ? refuse : (error: unknown): void => refuse(failureOf(error))
      // the answer of this very `work` is what comes back
      const job = { work, resolve: resolve as (answer: unknown) => void, reject }
      if (this.#collected === undefined) this.#add(job)
      else this.#collected.push(job)
    })
  }

  /**
   * Runs two changes of parts that share this file and know nothing of each other in one transaction: both are stored or none.
   * `first` and `second` call whatever submits one change, at once; its promise resolves with the answer of that change. Where
   * `goOn` says no to the answer of the first, the second is left out.
   * @throws ErrandError what either of them rejects with
   */
  async both<T>(first: () => Promise<T>, second: () => Promise<unknown>, goOn?: (answer: T) => boolean): Promise<T> {
    const [one, two] = [this.#collect(first), this.#collect(second)]
    // the promise of `first` has the answer of its job, by the contract above
    const pair = one.job === undefined || two.job === undefined ? undefined : new Pair(one.job, two.job, goOn as Pair['goOn'])
    if (pair !== undefined) this.#add(pair)
    else if (one.job === undefined) await this.#addUnlessRefused(two.job, one.promise)
    else await this.#addUnlessRefused(one.job, two.promise)
    // it is settled with the first, which is waited for before
    two.promise.catch(ignore)
    const answer = await one.promise
    if (pair?.goesOn !== false) await two.promise
    return answer
  }

  /** Resolves when everything handed in so far is committed or refused. */
  async idle(): Promise<void> {
    await this.#running
  }

  #add(job: Job): void {
    this.#jobs.push(job)
    this.#running ??= this.#run()
  }

  #collect<T>(submit: () => Promise<T>): { readonly promise: Promise<T>; readonly job: Job | undefined } {
    const collected: Job[] = []
    this.#collected = collected
    try {
      return { promise: submit(), job: collected[0] }
    } finally {
      this.#collected = undefined
    }
  }

  /** One of two came to no change: refused, or with nothing to do. Only in the second case the other may go. */
  async #addUnlessRefused(job: Job | undefined, other: Promise<unknown>): Promise<void> {
    try {
      await other
    } catch (error) {
      job?.reject(error)
      return
    }
    if (job !== undefined) this.#add(job)
  }

  async #run(): Promise<void> {
    while (this.#jobs.length > 0) {
      await new Promise((resolve) => setImmediate(resolve))
      await this.#commitNext()
    }
    this.#running = undefined
  }

  async #commitNext(): Promise<void> {
    if (this.#hasNoRoom) this.#reuseLog()
    try {
      this.#hooks.before?.()
      await untilNotBusy(() => this.#db.exec('BEGIN IMMEDIATE'))
    } catch (error) {
      return refuse(this.#take(), sqliteFailure('Cannot write', this.#file, error))
    }
    const jobs = this.#take()
    if (this.#commit(jobs)) return
    // one of them cannot be stored: find out which, so that the others are
    for (const job of jobs) {
      try {
        await untilNotBusy(() => this.#db.exec('BEGIN IMMEDIATE'))
      } catch (error) {
        refuse([job], sqliteFailure('Cannot write', this.#file, error))
        continue
      }
      this.#commit([job])
    }
  }

  #take(): Job[] {
    return this.#jobs.splice(0, MOST_JOBS)
  }

  /** Within a transaction that has begun. Answers `false` where the jobs are to be tried one by one. */
  #commit(jobs: readonly Job[]): boolean {
    const answers: unknown[] = []
    try {
      for (const job of jobs) answers.push(job.work())
      this.#hooks.ending?.()
      this.#db.exec('COMMIT')
    } catch (error) {
      this.#rollBack()
      this.#hasNoRoom ||= isFull(error)
      if (jobs.length > 1) return false
      refuse(jobs, sqliteFailure('Cannot write', this.#file, error))
      return true
    }
    this.#hooks.after?.()
    for (const [index, job] of jobs.entries()) job.resolve(answers[index])
    return true
  }

  /**
   * Copies the log into the file, so that its space is used again. Without that the log would take all the room that is made, until
   * it has grown to where SQLite copies it by itself: nothing could be stored, not even what makes room in the file.
   */
  #reuseLog(): void {
    try {
      this.#db.exec('PRAGMA wal_checkpoint(PASSIVE)')
      this.#hasNoRoom = false
    } catch {
      // there is no room for the copy either: at the next write again
    }
  }

  #rollBack(): void {
    try {
      this.#db.exec('ROLLBACK')
    } catch {
      // SQLite has rolled back by itself, as it does when the disk is full
    }
  }
}

/** Two jobs as one; the second is left out where `goOn` says no to the answer of the first. */
class Pair implements Job {
  readonly goOn: ((answer: unknown) => boolean) | undefined
  /** Whether the second was done as well, after `work`. */
  goesOn = true
  readonly #first: Job
  readonly #second: Job
  #answer: unknown

  constructor(first: Job, second: Job, goOn: ((answer: unknown) => boolean) | undefined) {
    this.#first = first
    this.#second = second
    this.goOn = goOn
  }

  work(): unknown {
    this.#answer = this.#first.work()
    this.goesOn = this.goOn === undefined || this.goOn(this.#answer)
    return this.goesOn ? this.#second.work() : undefined
  }

  resolve(answer: unknown): void {
    this.#first.resolve(this.#answer)
    if (this.goesOn) this.#second.resolve(answer)
    else this.#second.reject(new ErrandError('CALL_INVALID', 'This change was left out, because the one before it said so.'))
  }

  reject(error: unknown): void {
    this.#first.reject(error)
    this.#second.reject(error)
  }
}

const ignore = (): void => {}

function refuse(jobs: readonly Job[], error: ErrandError): void {
  for (const job of jobs) job.reject(error)
}
