import type { ErrandError } from '../errors.js'
import type { Database } from './driver.js'
import { isFull, sqliteFailure, unflushed } from './failure.js'
import type { Flush } from './flush.js'
import { untilNotBusy } from './lock.js'

/** What a change that was handed in comes to. What either throws refuses it. */
export interface Ends<T, R> {
  /** Is told its answer, after the commit. @defaultValue that answer is what it comes to */
  readonly done?: ((answer: T) => R) | undefined
  /**
   * Is told why it was not stored, or, with ErrandError `PUBLISH_TIMEOUT`, that nobody knows whether it would survive a power cut.
   * @defaultValue refused with that
   */
  readonly failed?: ((error: unknown) => R | Promise<R>) | undefined
  /**
   * It comes to its end as soon as every process sees it, before it would survive a power cut: for what a power cut makes void, such as a
   * claim of this process. @defaultValue false
   */
  readonly early?: boolean | undefined
}

/** A change, and the promise of who handed it in. */
interface Job {
  readonly work: () => unknown
  readonly ends: Ends<never, unknown> | undefined
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/** What else is done around each transaction. */
export interface CommitHooks {
  /** Before it begins; what this throws refuses everything that waits. */
  readonly before?: () => void
  /** Within it, after the last change. As the changes it may be called again after a roll-back. */
  readonly ending?: () => void
  /** After its commit, before the promises of its changes resolve. */
  readonly after?: () => void
  /** Brings commits to the disk, where they do not come there by themselves. */
  readonly flush?: Flush | undefined
}

/** Rows changed in one transaction at most, about: a longer one would keep the lock from the other processes. */
const MOST_JOBS = 250

/**
 * The only writer of a connection. Everything handed in within one turn of the event loop, and while a commit waits for the
 * lock, goes into one transaction with one flush behind it; a lone change waits for nobody.
 */
export class GroupCommit {
  readonly #db: Database
  readonly #file: string
  readonly #hooks: CommitHooks
  #jobs: Job[] = []
  #running: Promise<void> | undefined
  /** There was no room on the disk for more of the write-ahead log. */
  #hasNoRoom = false

  constructor(db: Database, file: string, hooks: CommitHooks = {}) {
    this.#db = db
    this.#file = file
    this.#hooks = hooks
  }

  /**
   * Runs `work` inside a write transaction together with others and resolves, after the commit, with what its answer comes to. `work` may run
   * more than once, the earlier runs rolled back: it must do nothing but ask and change the database. One promise for each change, whatever
   * becomes of it: on Node 20 every further one would cost a call or run most of a microsecond.
   * @throws ErrandError `QUEUE_FULL`, `BROKER_REFUSED`, `BROKER_UNREACHABLE`: the change was not stored; `PUBLISH_TIMEOUT`: it was, and could
   * not be flushed; or what `ends.failed` makes of these
   */
  submit<T, R = T>(work: () => T, ends?: Ends<T, R>): Promise<R> {
    return new Promise<R>((resolve, reject) => {
      // the answer of this very `work` is what comes back
      this.#jobs.push({ work, ends, resolve: resolve as Job['resolve'], reject })
      this.#running ??= this.#run()
    })
  }

  /** Resolves when what every process has committed so far is on the disk. @throws ErrandError `PUBLISH_TIMEOUT` */
  flushed(): Promise<void> {
    const { flush } = this.#hooks
    if (flush === undefined) return Promise.resolve()
    return new Promise((resolve, reject) => {
      flush.add((error) => (error === undefined ? resolve() : reject(unflushed(this.#file, error))))
    })
  }

  /** Resolves when everything handed in so far is committed and flushed, or refused. */
  async idle(): Promise<void> {
    await this.#running
    await this.#hooks.flush?.idle()
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
    this.#end(jobs, answers)
    return true
  }

  /** Tells who waits, after the commit: at once where that is enough, else when it is on the disk. */
  #end(jobs: readonly Job[], answers: readonly unknown[]): void {
    const { flush } = this.#hooks
    const isLate = ({ ends }: Job): boolean => flush !== undefined && ends?.early !== true
    let hasLate = false
    for (const [index, job] of jobs.entries()) {
      if (isLate(job)) hasLate = true
      else settle(job, job.ends?.done, answers[index])
    }
    if (!hasLate) return flush?.soon()
    flush?.add((error) => {
      for (const [index, job] of jobs.entries()) {
        if (!isLate(job)) continue
        if (error === undefined) settle(job, job.ends?.done, answers[index])
        else refuse([job], unflushed(this.#file, error))
      }
    })
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

function refuse(jobs: readonly Job[], error: ErrandError): void {
  for (const job of jobs) {
    if (job.ends?.failed === undefined) job.reject(error)
    else settle(job, job.ends.failed, error)
  }
}

/** Settles the promise of a job with what `end` makes of `told`. */
function settle(job: Job, end: ((told: never) => unknown) | undefined, told: unknown): void {
  try {
    // an end is told what it was made for: the answer of its own `work`, or an error
    job.resolve(end === undefined ? told : end(told as never))
  } catch (error) {
    job.reject(error)
  }
}
