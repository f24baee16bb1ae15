import type { Database, Statement } from '../../sqlite/driver.js'
import { prepareAll } from '../../sqlite/prepare.js'

/** Tasks that are not on the list, at most. A search by owner looks at each of them, in less than 1 ms; writing the list takes 4 ms. */
export const MOST_UNLISTED = 2_000

const SQL = {
  mark: 'SELECT number FROM store_listed',
  list: `INSERT INTO store_owner SELECT namespace, owner, created, number FROM store_task WHERE number > ? AND owner IS NOT NULL
         ORDER BY namespace, owner, created, number`,
  setMark: 'UPDATE store_listed SET number = (SELECT coalesce(max(number), 0) FROM store_task)',
} as const

/** The list of whose the tasks are: new ones are put there many at once, sorted, so that an owner's place in it is written once for all of them. */
export class Owners {
  readonly #sql: Readonly<Record<keyof typeof SQL, Statement>>
  /** The mark when it was read last. */
  #listed = 0
  /** The last task that this transaction added. */
  #last: number | undefined

  constructor(db: Database) {
    this.#sql = prepareAll(db, SQL)
  }

  /** To be called with the number of each new row, within the transaction. */
  add(number: number): void {
    this.#last = number
  }

  /** At the end of each transaction, within it. */
  write(): void {
    const last = this.#last
    this.#last = undefined
    if (last === undefined || (last > this.#listed && last < this.#listed + MOST_UNLISTED)) return
    // another process may have listed, and what was removed may have taken the mark back
    const { number } = this.#sql.mark.get() as { number: number }
    // not what is set below: that may be rolled back
    this.#listed = number
    if (last < number + MOST_UNLISTED) return
    this.#sql.list.run(number)
    this.#sql.setMark.run()
  }
}
