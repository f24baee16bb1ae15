import type { Database, Statement } from '../../sqlite/driver.js'
import { prepareAll } from '../../sqlite/prepare.js'
import type { Schema } from '../../sqlite/migrate.js'
import type { Owner, OwnerRow } from './owner.js'
import type { OwnerBook } from './registration.js'

const FIRST = `
CREATE TABLE locks_owner (
  number  INTEGER PRIMARY KEY AUTOINCREMENT,
  host    TEXT NOT NULL,
  pid     INTEGER NOT NULL,
  started TEXT NOT NULL,
  lease   INTEGER NOT NULL -- milliseconds since the epoch
) STRICT;

CREATE TABLE locks_name (
  name  BLOB NOT NULL PRIMARY KEY, -- bytes, so that two names are one only where every letter is the same
  owner INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX locks_name_owner ON locks_name (owner);
`

/** Every version of the tables of the locks. A change is a new entry at the end. */
export const LOCKS_SCHEMA: Schema = { part: 'locks', versions: [FIRST] }

const SQL = {
  isHeld: 'SELECT 1 FROM locks_name WHERE name = ?',
  // an owner that others took off the books must not hold what nobody could free
  take: 'INSERT OR IGNORE INTO locks_name SELECT ?, number FROM locks_owner WHERE number = ?',
  release: 'DELETE FROM locks_name WHERE name = ? AND owner = ?',
  addOwner: 'INSERT INTO locks_owner (host, pid, started, lease) VALUES (?, ?, ?, ?)',
  renewOwner: 'UPDATE locks_owner SET lease = ? WHERE number = ?',
  hasOwner: 'SELECT 1 FROM locks_owner WHERE number = ?',
  allOwners: 'SELECT number, host, pid, started, lease FROM locks_owner',
  releaseAll: 'DELETE FROM locks_name WHERE owner = ?',
  dropOwner: 'DELETE FROM locks_owner WHERE number = ?',
} as const

/** The tables of the locks as operations. Those that change something run inside a transaction of the caller's. */
export class LocksLedger implements OwnerBook {
  readonly #sql: Readonly<Record<keyof typeof SQL, Statement>>

  constructor(db: Database) {
    this.#sql = prepareAll(db, SQL)
  }

  /** A plain read, without a lock. */
  isHeld(name: Buffer): boolean {
    return this.#sql.isHeld.get(name) !== undefined
  }

  /** Answers `false` where somebody holds it, or `owner` is no longer known. */
  take(name: Buffer, owner: number): boolean {
    return Number(this.#sql.take.run(name, owner).changes) > 0
  }

  release(name: Buffer, owner: number): void {
    this.#sql.release.run(name, owner)
  }

  hasOwner(owner: number): boolean {
    return this.#sql.hasOwner.get(owner) !== undefined
  }

  addOwner(owner: Owner, lease: number): number {
    return Number(this.#sql.addOwner.run(owner.host, owner.pid, owner.started, lease).lastInsertRowid)
  }

  renewOwner(owner: number, lease: number): boolean {
    return Number(this.#sql.renewOwner.run(lease, owner).changes) > 0
  }

  owners(): OwnerRow[] {
    // the columns of the statement; the table is STRICT
    return this.#sql.allOwners.all() as OwnerRow[]
  }

  dropOwner(owner: number): void {
    this.#sql.releaseAll.run(owner)
    this.#sql.dropOwner.run(owner)
  }
}
