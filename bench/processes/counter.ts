import { isWhole, type Email } from '../payload.js'
import { nowMs, type Ran } from './orders.js'

/** Counts the bodies of this worker. One in a process: systems load their tasks as modules, which have to find it. */
class Counter {
  wrong = 0
  #begun = 0
  #firstMs = 0
  #waiting: { readonly at: number; readonly tell: (ran: Ran) => void } | undefined

  /** Resolves when `count` bodies more have begun. */
  expect(count: number): Promise<Ran> {
    return new Promise((tell) => {
      this.#waiting = { at: this.#begun + count, tell }
    })
  }

  readonly body = async (email: Email, userId: string | undefined): Promise<string> => {
    this.#begun += 1
    if (this.#begun === 1) this.#firstMs = nowMs()
    if (!isWhole(email, userId)) this.wrong += 1
    if (this.#begun === this.#waiting?.at) this.#waiting.tell({ atMs: nowMs(), firstMs: this.#firstMs })
    return email.to
  }
}

export const counter = new Counter()
