import type { Database, Statement } from '../../sqlite/driver.js'
import { prepareAll } from '../../sqlite/prepare.js'

/** Transactions that a watcher can be behind and still be told exactly what changed. */
const KEPT = 10_000

const SQL = {
  add: 'INSERT INTO store_news (namespace, ids) VALUES (?, ?)',
  trim: 'DELETE FROM store_news WHERE number <= ?',
  ends: 'SELECT min(number) AS first, max(number) AS last FROM store_news',
  since: 'SELECT number, ids FROM store_news WHERE number > ? AND namespace = ? ORDER BY number',
  all: 'SELECT id FROM store_task WHERE namespace = ?',
} as const

/** What changed for those who watch, and up to which number that says it. */
export interface NewsSince {
  readonly ids: readonly string[]
  readonly last: number
}

/** Which tasks changed, in this process and in others. */
export class News {
  readonly #namespace: string
  readonly #sql: Readonly<Record<keyof typeof SQL, Statement>>
  readonly #changed = new Set<string>()
  #isWritten = false

  constructor(db: Database, namespace: string) {
    this.#namespace = namespace
    this.#sql = prepareAll(db, SQL)
  }

  /** To be called with each task that changes, within the transaction; one that is rolled back afterwards does no harm. */
  add(id: string): void {
    this.#changed.add(id)
  }

  /** At the end of each transaction, within it. */
  write(): void {
    if (this.#changed.size === 0) return
    const { lastInsertRowid } = this.#sql.add.run(this.#namespace, JSON.stringify([...this.#changed]))
    this.#changed.clear()
    this.#sql.trim.run(Number(lastInsertRowid) - KEPT)
    this.#isWritten = true
  }

  /** Whether something was written since this was asked last. */
  take(): boolean {
    const wasWritten = this.#isWritten
    this.#isWritten = false
    return wasWritten
  }

  /** The number of the last transaction. */
  last(): number {
    return this.#ends().last ?? 0
  }

  /** The tasks that changed after transaction `number`: all there are, where that is too long ago. */
  since(number: number): NewsSince {
    const { first, last } = this.#ends()
    if (first === null || last === null) return { ids: [], last: 0 }
    // the tables are STRICT, and `write` makes the JSON
    if (first > number + 1) return { ids: (this.#sql.all.all(this.#namespace) as { id: string }[]).map(({ id }) => id), last }
    const rows = this.#sql.since.all(number, this.#namespace) as { number: number; ids: string }[]
    const ids = new Set(rows.flatMap((row) => JSON.parse(row.ids) as string[]))
    return { ids: [...ids], last: Math.max(number, rows.at(-1)?.number ?? 0) }
  }

  #ends(): { first: number | null; last: number | null } {
    return this.#sql.ends.get() as { first: number | null; last: number | null }
  }
}
