import { isWhole, type Email } from '../payload.js'
import { nowMs, type Ran } from './orders.js'

interface Waiting {
  /** Number of the body whose begin is the first that counts. */
  readonly first: number
  readonly last: number
  readonly tell: (ran: Ran) => void
}

/** Counts the bodies of this worker. One in a process: systems load their tasks as modules, which have to find it. */
class Counter {
  wrong = 0
  #begun = 0
  #firstMs = 0
  #waiting: Waiting | undefined

  /** Resolves when `skip` and then `count` bodies more have begun. */
  expect(count: number, skip = 0): Promise<Ran> {
    return new Promise((tell) => {
      this.#waiting = { first: this.#begun + skip + 1, last: this.#begun + skip + count, tell }
    })
  }

  readonly body = async (email: Email, userId: string | undefined): Promise<string> => {
    this.#begun += 1
    if (this.#begun === this.#waiting?.first) this.#firstMs = nowMs()
    if (!isWhole(email, userId)) this.wrong += 1
    if (this.#begun === this.#waiting?.last) this.#waiting.tell({ atMs: nowMs(), firstMs: this.#firstMs })
    return email.to
  }
}

export const counter = new Counter()
