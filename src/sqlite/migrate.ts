import { ErrandError } from '../errors.js'
import type { Database } from './driver.js'
import { sqliteFailure } from './failure.js'
import { untilNotBusy } from './lock.js'

/** What a part of the library keeps in a file: its name there, and every change of its tables since the first, in order. */
export interface Schema {
  /** `broker`, `store`: parts share a file without knowing of each other. */
  readonly part: string
  /** SQL of each version; never edited once released, only added to. */
  readonly versions: readonly string[]
}

/**
 * Brings the tables of one part up to date, on a connection that nothing else uses yet; of several processes that try at once, one
 * does it.
 * @throws ErrandError `DRIVER_UNSUPPORTED` when a newer version of this library wrote the file
 */
export async function migrate(db: Database, file: string, schema: Schema): Promise<void> {
  try {
    await untilNotBusy(() => migrateOnce(db, file, schema))
  } catch (error) {
    throw sqliteFailure(`Cannot prepare the tables of the ${schema.part}`, file, error)
  }
}

function migrateOnce(db: Database, file: string, schema: Schema): void {
  db.exec('BEGIN IMMEDIATE')
  try {
    migrateWithin(db, file, schema)
    db.exec('COMMIT')
  } catch (error) {
    db.exec('ROLLBACK')
    throw error
  }
}

/** The same inside a write transaction of the caller's, on a connection that others use. */
export function migrateWithin(db: Database, file: string, { part, versions }: Schema): void {
  db.exec('CREATE TABLE IF NOT EXISTS errand_schema (part TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT, WITHOUT ROWID')
  const current = versionOf(db, part)
  if (current > versions.length) {
    throw new ErrandError(
      'DRIVER_UNSUPPORTED',
      `Cannot use ${file}: its ${part} tables have version ${current}, and this release knows ${versions.length}. ` +
        'A newer release wrote it: upgrade errand in every process that shares the file.',
    )
  }
  for (const sql of versions.slice(current)) db.exec(sql)
  db.prepare('INSERT OR REPLACE INTO errand_schema VALUES (?, ?)').run(part, versions.length)
}

function versionOf(db: Database, part: string): number {
  const row = db.prepare('SELECT version FROM errand_schema WHERE part = ?').get(part)
  return typeof row === 'object' && row !== null && 'version' in row ? Number(row.version) : 0
}
