import type { ErrandError } from '../errors.js'
import type { Database } from './driver.js'
import { sqliteFailure } from './failure.js'
import { untilNotBusy } from './lock.js'

interface Job {
  readonly work: () => unknown
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: unknown) => void
}

/** Rows changed in one transaction at most, about: a longer one would keep the lock from the other processes. */
const MOST_JOBS = 1_000

/**
 * The only writer of a connection. Everything handed in within one turn of the event loop, and while a commit waits for the
 * lock, goes into one transaction with one flush; a lone change waits for nobody.
 */
export class GroupCommit {
  readonly #db: Database
  readonly #file: string
  readonly #afterCommit: () => void
  readonly #beforeCommit: () => void
  #jobs: Job[] = []
  #running: Promise<void> | undefined

  /**
   * `afterCommit` is called after each transaction, before the promises of its jobs resolve; `beforeCommit` before each, and what
   * it throws refuses everything that waits.
   */
  constructor(db: Database, file: string, afterCommit: () => void = () => undefined, beforeCommit: () => void = () => undefined) {
    this.#db = db
    this.#file = file
    this.#afterCommit = afterCommit
    this.#beforeCommit = beforeCommit
  }

  /**
   * Runs `work` inside a write transaction together with others and resolves with its answer after the commit. `work` may run
   * more than once, the earlier runs rolled back: it must do nothing but ask and change the database.
   * @throws ErrandError `QUEUE_FULL`, `BROKER_REFUSED`, `BROKER_UNREACHABLE`: the change was not stored
   */
  submit<T>(work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      // the answer of this very `work` is what comes back
      this.#jobs.push({ work, resolve: resolve as (answer: unknown) => void, reject })
      this.#running ??= this.#run()
    })
  }

  /** Resolves when everything handed in so far is committed or refused. */
  async idle(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    while (this.#jobs.length > 0) {
      await new Promise((resolve) => setImmediate(resolve))
      await this.#commitNext()
    }
    this.#running = undefined
  }

  async #commitNext(): Promise<void> {
    try {
      this.#beforeCommit()
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
      this.#db.exec('COMMIT')
    } catch (error) {
      this.#rollBack()
      if (jobs.length > 1) return false
      refuse(jobs, sqliteFailure('Cannot write', this.#file, error))
      return true
    }
    this.#afterCommit()
    for (const [index, job] of jobs.entries()) job.resolve(answers[index])
    return true
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
  for (const job of jobs) job.reject(error)
}
