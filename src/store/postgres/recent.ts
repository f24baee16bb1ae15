import type { Client } from './client.js'
import type { Row } from './rows.js'

const MOST = 1_000
/** Characters of what a task carries along; larger ones are read again. */
const LARGEST = 4_096

/**
 * The rows of tasks that this process has just begun to run: their end is written without reading them. A row that somebody else
 * changed meanwhile has another version, and is read after all.
 */
export class Recent {
  readonly #rows = new Map<string, Row>()
  #client: Client | undefined

  /** Versions are not carried from one connection to the next: that may lead to another server. */
  use(client: Client): void {
    if (this.#client !== client) this.#rows.clear()
    this.#client = client
  }

  get(id: string): Row | undefined {
    return this.#rows.get(id)
  }

  keep(row: Row): void {
    const { id, state, memo = '', progress } = row.record
    this.#rows.delete(id)
    if (state !== 'running' || memo.length + (progress.data?.length ?? 0) > LARGEST) return
    this.#rows.set(id, row)
    const [oldest] = this.#rows.keys()
    if (this.#rows.size > MOST && oldest !== undefined) this.#rows.delete(oldest)
  }

  forget(id: string): void {
    this.#rows.delete(id)
  }
}
