import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { ErrandError } from '../errors.js'
import { findDriver, type Database } from './driver.js'
import { sqliteFailure } from './failure.js'
import { untilNotBusy } from './lock.js'

export interface DatabaseOptions {
  /** Path of the file; it and its folder are made, for this user alone, where they do not exist. */
  readonly file: string
  /**
   * `full`: a committed change survives a power cut. `normal`: it survives a crash of the process, but the last changes may be
   * lost when the machine stops; several times faster on disks that are slow to flush. @defaultValue 'full'
   */
  readonly durability?: 'full' | 'normal' | undefined
}

/** Pages of the write-ahead log after which it is copied into the file: fewer copies at high rates than the default of 1000. */
const CHECKPOINT_PAGES = 4000
/** Kibibytes of pages kept in memory at most. */
const CACHE_KIB = 64 * 1024
/** Bytes to which a log that once grew is cut back. */
const LOG_LIMIT = 64 * 1024 * 1024

/**
 * Opens an SQLite file for several processes at once: write-ahead log, the durability asked for, never waiting for a lock
 * inside a call.
 * @throws ErrandError `PACKAGE_MISSING`, `DRIVER_UNSUPPORTED`, `BROKER_REFUSED` when the file may not be written,
 * `BROKER_UNREACHABLE`
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const driver = findDriver()
  try {
    createFile(options.file)
    return await untilNotBusy(() => openOnce(driver, options))
  } catch (error) {
    throw sqliteFailure('Cannot open the database', options.file, error)
  }
}

/** Both pragmas about durability are always set: the libraries are built with different defaults. */
function openOnce(driver: (file: string) => Database, { file, durability = 'full' }: DatabaseOptions): Database {
  const db = driver(file)
  try {
    refuseUnsafeVersion(db)
    refuseOtherJournal(db.prepare('PRAGMA journal_mode = WAL').get())
    db.exec(`PRAGMA synchronous = ${durability === 'full' ? 'FULL' : 'NORMAL'}`)
    db.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`)
    db.exec(`PRAGMA journal_size_limit = ${LOG_LIMIT}`)
    db.exec(`PRAGMA cache_size = -${CACHE_KIB}`)
    // the first read takes the locks of the log, so a busy file shows here and not in the middle of work
    db.prepare('SELECT count(*) FROM sqlite_schema').get()
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/**
 * SQLite itself would make the file readable for everybody. A file that exists is not touched: closing it here would drop the
 * locks that other connections of this process have on it.
 */
function createFile(file: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    closeSync(openSync(file, 'wx', 0o600))
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return
    throw new ErrandError(
      'BROKER_REFUSED',
      `Cannot create ${file}: the folder or the file is not writable for this user. Choose another path or change its owner.`,
      { cause: error },
    )
  }
}

/** SQLite answers with the mode it stays in where it cannot share memory between processes. */
function refuseOtherJournal(row: unknown): void {
  if (typeof row === 'object' && row !== null && Object.values(row)[0] === 'wal') return
  throw new ErrandError(
    'DRIVER_UNSUPPORTED',
    'The database cannot use a write-ahead log, so several processes cannot share it; network file systems are like that. ' +
      'Put the file on a local disk.',
  )
}

function refuseUnsafeVersion(db: Database): void {
  const row = db.prepare('SELECT sqlite_version() AS version').get()
  const version = typeof row === 'object' && row !== null && 'version' in row ? String(row.version) : '0'
  if (isSafeVersion(version)) return
  throw new ErrandError(
    'DRIVER_UNSUPPORTED',
    `SQLite ${version} can corrupt a file that two processes write to (the WAL-reset bug, fixed in 3.51.3, 3.50.7 and 3.44.6). ` +
      'Use a newer Node, or on Node 20 the newest better-sqlite3 12.',
  )
}

/** Whether a version of SQLite has the repair of the WAL-reset bug. */
export function isSafeVersion(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number)
  if (major !== 3) return major > 3
  if (minor === 44) return patch >= 6
  if (minor === 50) return patch >= 7
  if (minor === 51) return patch >= 3
  return minor > 51
}

