import { closeSync, openSync, watch, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Database } from '#src/sqlite/driver.js'
import { isBusy } from '#src/sqlite/failure.js'
import { openDatabase } from '#src/sqlite/open.js'

const POLL_MS = 50

/** Opens the file of the raw queue as the embedded queue opens its own: WAL, synchronous FULL. */
export async function openFile(folder: string): Promise<Database> {
  const db = await openDatabase({ file: join(folder, 'raw.sqlite') })
  await retried(() => {
    db.exec('CREATE TABLE IF NOT EXISTS payload (seq INTEGER PRIMARY KEY, reply INTEGER NOT NULL, body TEXT NOT NULL) STRICT')
    db.exec('CREATE TABLE IF NOT EXISTS claim (seq INTEGER PRIMARY KEY, owner INTEGER NOT NULL) STRICT')
    db.exec('CREATE TABLE IF NOT EXISTS result (reply INTEGER PRIMARY KEY, answer TEXT NOT NULL) STRICT')
  })
  return db
}

/** A database that another process writes to is tried again in the next turn, not waited for. */
export async function inTransaction(db: Database, work: () => void): Promise<void> {
  await retried(() => db.exec('BEGIN IMMEDIATE'))
  work()
  db.exec('COMMIT')
}

async function retried(work: () => unknown): Promise<void> {
  for (;;) {
    try {
      work()
      return
    } catch (error) {
      if (!isBusy(error)) throw error
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** A file that is written to after a commit, so that whoever watches it looks at once. */
export class Bell {
  readonly path: string
  readonly #file: number

  constructor(path: string) {
    this.path = path
    this.#file = openSync(path, 'a+', 0o600)
  }

  ring(): void {
    writeSync(this.#file, '.', 0)
  }

  close(): void {
    closeSync(this.#file)
  }
}

/** Resolves at the next ring, or after a moment: a ring before this call is not heard. */
export function pauseUntil(bell: Bell): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      watcher.close()
      clearTimeout(timer)
      resolve()
    }
    const watcher = watch(bell.path, end)
    const timer = setTimeout(end, POLL_MS)
  })
}
