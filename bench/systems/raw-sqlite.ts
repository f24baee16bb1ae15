import { join } from 'node:path'
import type { Database } from '#src/sqlite/driver.js'
import { wholeOf, type Whole } from '../payload.js'
import type { Body, Caller, Closing, Place, System } from '../system.js'
import { openRawParts } from './raw-parts.js'
import { Bell, Ear, inTransaction, openFile } from './raw-sqlite-file.js'

/** Tasks claimed by one transaction. */
const BATCH = 300

/** The limit on SQLite: group commit, payload and claim apart, ranges of ids instead of lists, no owners, attempts or delays. */
export const rawSqlite: System = {
  name: 'raw-sqlite',
  yardstick: 'raw-sqlite',
  setting: 'better-sqlite3, WAL, synchronous FULL, one transaction a turn, claims of 300',
  openCaller,
  startWorker,
  openParts: openRawParts,
}

async function openCaller({ folder }: Place): Promise<Caller> {
  const db = await openFile(folder)
  const tasks = new Bell(join(folder, 'tasks-bell'))
  const add = db.prepare('INSERT INTO payload (reply, body) VALUES (?, ?)')
  const addClaim = db.prepare('INSERT INTO claim VALUES (last_insert_rowid(), 0)')
  const send = (number: number, reply: number): void => {
    add.run(reply, JSON.stringify(wholeOf(number)))
    addClaim.run()
  }
  const results = new Results(db, folder, async (wanted) => {
    await inTransaction(db, () => wanted.forEach(({ number, reply }) => send(number, reply)))
    tasks.ring()
  })
  return {
    dispatch: async (count, inFlight) => {
      for (let sent = 0; sent < count; sent += inFlight) {
        await new Promise((resolve) => setImmediate(resolve))
        await inTransaction(db, () => {
          for (let number = sent; number < Math.min(count, sent + inFlight); number++) send(number, 0)
        })
        tasks.ring()
      }
    },
    result: (number) => results.ask(number),
    close: async () => {
      await results.close()
      tasks.close()
      db.close()
    },
  }
}

interface Wanted {
  readonly number: number
  readonly reply: number
}

/** Results by a table and a bell of their own. What is asked for in one turn goes out together. */
class Results {
  readonly #waiting = new Map<number, (answer: string) => void>()
  readonly #ear: Ear
  readonly #db: Database
  readonly #sendAll: (wanted: readonly Wanted[]) => Promise<void>
  #wanted: Wanted[] = []
  #asked = 0
  #reading: Promise<void> | undefined
  #isClosed = false

  constructor(db: Database, folder: string, sendAll: (wanted: readonly Wanted[]) => Promise<void>) {
    this.#db = db
    this.#sendAll = sendAll
    const path = join(folder, 'results-bell')
    new Bell(path).close()
    this.#ear = new Ear(path)
  }

  ask(number: number): Promise<string> {
    const reply = ++this.#asked
    // a caller who asks for no results does nothing for them
    this.#reading ??= this.#readAll()
    if (this.#wanted.length === 0) setImmediate(() => void this.#sendAll(this.#wanted.splice(0)))
    this.#wanted.push({ number, reply })
    return new Promise((resolve) => this.#waiting.set(reply, resolve))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#ear.close()
    await this.#reading
  }

  async #readAll(): Promise<void> {
    const take = this.#db.prepare('DELETE FROM result RETURNING reply, answer')
    for (;;) {
      await this.#ear.ring()
      if (this.#isClosed) return
      await inTransaction(this.#db, () => {
        // the columns of the statement
        for (const { reply, answer } of take.all() as { reply: number; answer: string }[]) {
          this.#waiting.get(reply)?.(answer)
          this.#waiting.delete(reply)
        }
      })
    }
  }
}

async function startWorker({ folder }: Place, body: Body): Promise<Closing> {
  const db = await openFile(folder)
  const path = join(folder, 'tasks-bell')
  new Bell(path).close()
  const worker = new Worker(db, { tasks: new Ear(path), results: new Bell(join(folder, 'results-bell')) }, body)
  const stopped = worker.run()
  return {
    close: async () => {
      worker.stop()
      await stopped
      db.close()
    },
  }
}

interface Row {
  readonly seq: number
  readonly reply: number
  readonly body: string
}

/** Each transaction ends the last batch and claims the next. */
class Worker {
  readonly #db: Database
  readonly #bells: { readonly tasks: Ear; readonly results: Bell }
  readonly #body: Body
  #isStopped = false

  constructor(db: Database, bells: { readonly tasks: Ear; readonly results: Bell }, body: Body) {
    this.#db = db
    this.#bells = bells
    this.#body = body
  }

  stop(): void {
    this.#isStopped = true
    this.#bells.tasks.close()
  }

  async run(): Promise<void> {
    const db = this.#db
    const next = db.prepare('SELECT seq, reply, body FROM payload WHERE seq > ? ORDER BY seq LIMIT ?')
    const claim = db.prepare('UPDATE claim SET owner = 1 WHERE seq BETWEEN ? AND ?')
    const endPayload = db.prepare('DELETE FROM payload WHERE seq BETWEEN ? AND ?')
    const endClaim = db.prepare('DELETE FROM claim WHERE seq BETWEEN ? AND ?')
    const addResult = db.prepare('INSERT INTO result VALUES (?, ?)')
    let answers: { readonly reply: number; readonly answer: string }[] = []
    let rows: Row[] = []
    while (!this.#isStopped) {
      const [first, last] = [rows[0]?.seq ?? 0, rows.at(-1)?.seq ?? 0]
      await inTransaction(db, () => {
        if (last > 0) {
          endPayload.run(first, last)
          endClaim.run(first, last)
        }
        for (const { reply, answer } of answers) addResult.run(reply, answer)
        // the columns of the statement
        rows = next.all(last, BATCH) as Row[]
        if (rows.length > 0) claim.run(rows[0]?.seq ?? 0, rows.at(-1)?.seq ?? 0)
      })
      if (answers.length > 0) this.#bells.results.ring()
      answers = (await Promise.all(rows.map((row) => this.#runOne(row)))).filter(({ reply }) => reply > 0)
      if (rows.length === 0) await this.#bells.tasks.ring()
    }
    this.#bells.results.close()
  }

  async #runOne({ reply, body }: Row): Promise<{ readonly reply: number; readonly answer: string }> {
    // the caller above wrote it
    const { email, asker } = JSON.parse(body) as Whole
    return { reply, answer: await this.#body(email, asker.user.id) }
  }
}
