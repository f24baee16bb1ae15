import { closeSync, openSync, watch, writeSync } from 'node:fs'
import { newId } from '#src/core/clock.js'
import type { Database } from '#src/sqlite/driver.js'
import { openDatabase } from '#src/sqlite/open.js'
import { isBusy } from '#src/sqlite/failure.js'

/**
 * The least that a durable queue can do: one queue, one consumer, no priorities, delays, attempts or owners. Payload and claim
 * apart, ranges instead of lists, no promise for each message.
 */
export interface Raw {
  readonly db: Database
  readonly path: string
  readonly bell: number
}

const BATCH = 300
const POLL_MS = 50

export async function openRaw(file: string): Promise<Raw> {
  const db = await openDatabase({ file })
  await locked(() => {
    db.exec('CREATE TABLE IF NOT EXISTS payload (seq INTEGER PRIMARY KEY, id TEXT NOT NULL, body BLOB NOT NULL) STRICT')
    db.exec('CREATE TABLE IF NOT EXISTS claim (seq INTEGER PRIMARY KEY, owner INTEGER NOT NULL) STRICT')
  })
  return { db, path: `${file}-bell`, bell: openSync(`${file}-bell`, 'a+', 0o600) }
}

export function closeRaw({ db, bell }: Raw): void {
  closeSync(bell)
  db.close()
}

/** Stores `count` messages, `batch` of them in each transaction. */
export async function rawPublish({ db, bell }: Raw, count: number, batch: number, body: Buffer): Promise<void> {
  const begin = db.prepare('BEGIN IMMEDIATE')
  const commit = db.prepare('COMMIT')
  const addPayload = db.prepare('INSERT INTO payload (id, body) VALUES (?, ?)')
  const addClaim = db.prepare('INSERT INTO claim VALUES (last_insert_rowid(), 0)')
  for (let sent = 0; sent < count; sent += batch) {
    await new Promise((resolve) => setImmediate(resolve))
    await locked(() => begin.run())
    for (let number = 0; number < Math.min(batch, count - sent); number++) {
      addPayload.run(newId(), body)
      addClaim.run()
    }
    commit.run()
    writeSync(bell, '.', 0)
  }
}

/** Takes and ends `count` messages; each transaction ends the last batch and claims the next. */
export async function rawConsume({ db, path }: Raw, count: number, onReady: () => void): Promise<void> {
  const begin = db.prepare('BEGIN IMMEDIATE')
  const commit = db.prepare('COMMIT')
  const next = db.prepare('SELECT seq, id, body FROM payload WHERE seq > ? ORDER BY seq LIMIT ?')
  const claim = db.prepare('UPDATE claim SET owner = 1 WHERE seq BETWEEN ? AND ?')
  const endPayload = db.prepare('DELETE FROM payload WHERE seq BETWEEN ? AND ?')
  const endClaim = db.prepare('DELETE FROM claim WHERE seq BETWEEN ? AND ?')
  let wake: () => void = () => undefined
  const watcher = watch(path, () => wake())
  onReady()
  let [first, last, done] = [0, 0, 0]
  while (done < count) {
    await locked(() => begin.run())
    if (last >= first && last > 0) {
      endPayload.run(first, last)
      endClaim.run(first, last)
    }
    // the columns of the statement
    const rows = next.all(last, BATCH) as { seq: number; body: Uint8Array }[]
    const ends = { first: rows[0]?.seq, last: rows.at(-1)?.seq }
    if (ends.first !== undefined && ends.last !== undefined) claim.run(ends.first, ends.last)
    commit.run()
    // an empty table begins again at 1
    ;[first, last] = [ends.first ?? 1, ends.last ?? 0]
    await Promise.all(rows.map(async ({ body }) => body.length))
    done += rows.length
    if (rows.length > 0 || done >= count) continue
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, POLL_MS)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
  watcher.close()
}

async function locked(work: () => unknown): Promise<void> {
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
