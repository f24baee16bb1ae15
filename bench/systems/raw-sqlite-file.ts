import { closeSync, openSync, watch, writeSync, type FSWatcher } from 'node:fs'
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
export function inTransaction(db: Database, work: () => void): Promise<void> {
  return retried(() => {
    db.exec('BEGIN IMMEDIATE')
    work()
    db.exec('COMMIT')
  })
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
  readonly #file: number

  constructor(path: string) {
    this.#file = openSync(path, 'a+', 0o600)
  }

  ring(): void {
    writeSync(this.#file, '.', 0)
  }

  close(): void {
    closeSync(this.#file)
  }
}

/** Hears every ring from the moment on when it was made: one that comes while its owner looks into the file is kept. */
export class Ear {
  readonly #watcher: FSWatcher
  #hasRung = false
  #wake: () => void = () => {}

  constructor(path: string) {
    this.#watcher = watch(path, () => {
      this.#hasRung = true
      this.#wake()
    })
  }

  /** Resolves at once where the bell has rung since the last time, else at its next ring; the poll is a net that nothing should need. */
  async ring(): Promise<void> {
    if (!this.#hasRung) await this.#next()
    this.#hasRung = false
  }

  close(): void {
    this.#watcher.close()
    this.#wake()
  }

  #next(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, POLL_MS)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
