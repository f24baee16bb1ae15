import { systemClock, type Clock } from '../../core/clock.js'
import { silentLogger, type Logger } from '../../core/logger.js'
import { refuseUnknownKeys, show, withoutUndefined } from '../../core/options.js'
import { ErrandError } from '../../errors.js'
import type { Database } from '../../sqlite/driver.js'
import { sqliteFailure } from '../../sqlite/failure.js'
import { GroupCommit } from '../../sqlite/group-commit.js'
import { untilNotBusy } from '../../sqlite/lock.js'
import { migrate } from '../../sqlite/migrate.js'
import { openDatabase } from '../../sqlite/open.js'
import { QueueFile } from '../../sqlite/queue-file.js'
import type { Held, Locks } from '../locks.js'
import { LOCKS_SCHEMA, LocksLedger } from './locks-ledger.js'
import { Registration } from './registration.js'

export interface SqliteLocksOptions {
  /** Path of the file, that of the queues or another; made where there is none, for this user alone. */
  readonly file: string
  /** Keeps the names of several services in one file apart. @defaultValue '' */
  readonly namespace?: string | undefined
  /** Where time comes from. @defaultValue the system's clock */
  readonly clock?: Clock | undefined
  /** Hears of failures in the background. @defaultValue says nothing */
  readonly log?: Logger | undefined
}

const DEFAULTS = { namespace: '', clock: systemClock, log: silentLogger } as const

/** How often this process looks whether it is still known; and how soon after the last look a taken name has it look for the dead. */
const TICK_MS = 500

/**
 * Opens names that the processes of one machine share in an SQLite file. A holder that died is found out by the next process
 * that wants one of its names, within half a second.
 * @throws ErrandError `OPTION_INVALID`, `PACKAGE_MISSING`, `DRIVER_UNSUPPORTED`, `BROKER_REFUSED`, `BROKER_UNREACHABLE`
 */
export async function openSqliteLocks(given: SqliteLocksOptions): Promise<Locks> {
  refuseUnknownKeys('openSqliteLocks', given, ['file', ...Object.keys(DEFAULTS)])
  const options = { ...DEFAULTS, ...withoutUndefined(given) }
  if (typeof options.file !== 'string' || options.file === '') {
    throw new ErrandError('OPTION_INVALID', `The SQLite locks need the path of their file, got ${show(given.file)}.`)
  }
  // no holder outlives the machine, so nothing here needs to survive a power cut
  const db = await openDatabase({ file: options.file, durability: 'normal' })
  try {
    await migrate(db, options.file, LOCKS_SCHEMA)
    return new SqliteLocks(db, options)
  } catch (error) {
    db.close()
    throw error
  }
}

class SqliteLocks implements Locks {
  readonly #db: Database
  readonly #options: Required<SqliteLocksOptions> & { readonly clock: Clock; readonly log: Logger }
  readonly #ledger: LocksLedger
  readonly #writer: GroupCommit
  readonly #registration: Registration
  readonly #file: QueueFile
  /** What is held, under the number of the owner that it was taken as. */
  readonly #held = new Map<AbortController, number>()
  #cancelTick: (() => void) | undefined
  #reapedAt = -Infinity
  #closing: Promise<void> | undefined

  constructor(db: Database, options: Required<SqliteLocksOptions> & { readonly clock: Clock; readonly log: Logger }) {
    this.#db = db
    this.#options = options
    this.#file = new QueueFile(options.file, options.clock, (error) => this.#loseAll(error))
    this.#ledger = new LocksLedger(db)
    this.#writer = new GroupCommit(db, options.file, { before: () => this.#file.check() })
    this.#registration = new Registration(this.#ledger, this.#writer, options.clock)
  }

  async take(name: string): Promise<Held | undefined> {
    this.#refuseClosed()
    const key = this.#keyOf(name)
    if ((await this.#read(() => this.#ledger.isHeld(key))) && !(await this.#freeDead())) return undefined
    const owner = await this.#registration.number()
    this.#refuseClosed()
    this.#cancelTick ??= this.#options.clock.after(TICK_MS, () => this.#tick())
    const taken = await this.#writer.submit(() => (this.#ledger.take(key, owner) ? 'yes' : this.#ledger.hasOwner(owner) ? 'no' : 'unknown'))
    // what was taken while this was closed goes back with the owner
    this.#refuseClosed()
    if (taken === 'unknown') {
      await this.#goOnAfter(owner)
      return this.take(name)
    }
    return taken === 'yes' ? this.#hold(key, owner) : undefined
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #hold(key: Buffer, owner: number): Held {
    const loss = new AbortController()
    this.#held.set(loss, owner)
    const release = async (): Promise<void> => {
      if (!this.#held.delete(loss) || this.#closing !== undefined) return
      await this.#writer.submit(() => this.#ledger.release(key, owner))
    }
    return { lost: loss.signal, release }
  }

  /** Takes dead holders off the books, now and then. Answers whether there may be some fewer. */
  async #freeDead(): Promise<boolean> {
    const now = this.#options.clock.now()
    // a clock that was set back must not put the look off
    if (Math.abs(now - this.#reapedAt) < TICK_MS) return false
    this.#reapedAt = now
    await this.#registration.reap()
    return true
  }

  async #close(): Promise<void> {
    this.#cancelTick?.()
    this.#held.clear()
    try {
      if (!this.#file.isLost) await this.#registration.leave()
    } catch (error) {
      this.#options.log.warn(`Cannot let go of names; others get them when this process has ended. ${String(error)}`)
    }
    await this.#writer.idle()
    this.#db.close()
  }

  #refuseClosed(): void {
    if (this.#closing === undefined) return
    throw new ErrandError('BROKER_CLOSED', `Cannot take a name: the locks in ${this.#options.file} are closed. Open new ones.`)
  }

  #keyOf(name: string): Buffer {
    // a lone surrogate has no UTF-8; the two bytes of each letter tell all names apart
    return Buffer.from(`${this.#options.namespace}\n${name}`, 'utf16le')
  }

  async #read<T>(work: () => T): Promise<T> {
    this.#file.check()
    try {
      return await untilNotBusy(work)
    } catch (error) {
      throw sqliteFailure('Cannot take a name', this.#options.file, error)
    }
  }

  #tick(): void {
    this.#cancelTick = this.#options.clock.after(TICK_MS, () => this.#tick())
    void this.#watchOver() // ends in every case
  }

  async #watchOver(): Promise<void> {
    try {
      this.#file.check()
      const before = await this.#registration.number()
      if ((await this.#registration.renew()) !== undefined) this.#lose(before)
      // another process may have taken this one off the books in the middle of a lease
      else if (this.#held.size > 0 && !(await this.#read(() => this.#ledger.hasOwner(before)))) await this.#goOnAfter(before)
    } catch (error) {
      if (this.#closing !== undefined || this.#file.isLost) return
      this.#options.log.warn(`Cannot look after the locks in ${this.#options.file}. ${String(error)}`)
    }
  }

  async #goOnAfter(lost: number): Promise<void> {
    this.#lose(lost)
    await this.#registration.replace(lost)
  }

  /** Others took this owner for dead: what it held is theirs. */
  #lose(owner: number): void {
    for (const [loss, of] of this.#held) {
      if (of !== owner) continue
      this.#held.delete(loss)
      loss.abort(new ErrandError('BROKER_UNREACHABLE', 'This process was silent for so long that others took the names it held.'))
    }
  }

  #loseAll(error: ErrandError): void {
    this.#options.log.error(error.message)
    this.#cancelTick?.()
    const lost = [...this.#held.keys()]
    this.#held.clear()
    for (const loss of lost) loss.abort(error)
  }
}
