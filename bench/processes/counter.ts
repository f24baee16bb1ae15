import { isWhole, type Email } from '../payload.js'
import { nowMs, type Ran } from './orders.js'

interface Waiting {
  /** Number of the body whose begin is the first that counts. */
  readonly first: number
  readonly last: number
  readonly tell: (ran: Ran) => void
  begun: { readonly atMs: number; readonly cpu: NodeJS.CpuUsage } | undefined
}

/** Counts the bodies of this worker. One in a process: systems load their tasks as modules, which have to find it. */
class Counter {
  wrong = 0
  #begun = 0
  readonly #waiting = new Set<Waiting>()

  /** Resolves when `skip` and then `count` bodies more have begun. Several may be waited for at once. */
  expect(count: number, skip = 0): Promise<Ran> {
    return new Promise((tell) => {
      this.#waiting.add({ first: this.#begun + skip + 1, last: this.#begun + skip + count, tell, begun: undefined })
    })
  }

  readonly body = async (email: Email, userId: string | undefined): Promise<string> => {
    this.#begun += 1
    if (!isWhole(email, userId)) this.wrong += 1
    for (const waiting of this.#waiting) this.#look(waiting)
    return email.to
  }

  #look(waiting: Waiting): void {
    if (this.#begun === waiting.first) waiting.begun = { atMs: nowMs(), cpu: process.cpuUsage() }
    if (this.#begun !== waiting.last) return
    const { user, system } = process.cpuUsage(waiting.begun?.cpu)
    const atMs = nowMs()
    waiting.tell({ atMs, firstMs: waiting.begun?.atMs ?? atMs, cpuSeconds: (user + system) / 1e6 })
    this.#waiting.delete(waiting)
  }
}

export const counter = new Counter()
