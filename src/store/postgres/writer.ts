import { Batch, type Answer, type Order, type Place } from './batch.js'
import type { Client } from './client.js'
import { OutcomeUnknown, type Link } from './link.js'

interface Job {
  readonly order: Order
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

/** Orders in one transaction at most. */
const MOST_JOBS = 200

/**
 * The only writer of a process: everything handed in while a transaction is under way goes into the next one, so that the round
 * trips and the flush are shared. A lone order waits for nobody.
 */
export class Writer {
  readonly #link: Link
  readonly #place: Place
  #jobs: Job[] = []
  #running: Promise<void> | undefined

  constructor(link: Link, place: Place) {
    this.#link = link
    this.#place = place
  }

  /** Resolves after the commit. */
  submit(order: Order): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#jobs.push({ order, resolve, reject })
      this.#running ??= this.#run()
    })
  }

  /** Resolves when everything handed in so far is committed or refused. */
  async idle(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    while (this.#jobs.length > 0) {
      // what is handed in within the same turn of the event loop goes along
      await new Promise((resolve) => setImmediate(resolve))
      const jobs = this.#jobs.splice(0, MOST_JOBS)
      if (!(await this.#commit(jobs))) for (const job of jobs) await this.#commit([job])
    }
    this.#running = undefined
  }

  /** Answers `false` where the jobs are to be tried one by one: the server refused one of them. */
  async #commit(jobs: readonly Job[]): Promise<boolean> {
    try {
      const orders = jobs.map(({ order }) => order)
      const answers = await this.#link.run('Cannot record changes', (client) => this.#transaction(client, orders))
      for (const [index, job] of jobs.entries()) job.resolve(answers[index] ?? [])
      return true
    } catch (error) {
      const mayBeOne = error instanceof Error && 'code' in error && error.code === 'STORE_REFUSED'
      if (mayBeOne && jobs.length > 1) return false
      for (const job of jobs) job.reject(error)
      return true
    }
  }

  async #transaction(client: Client, orders: readonly Order[]): Promise<readonly Answer[]> {
    await client.query('BEGIN')
    let answers
    try {
      answers = await new Batch(client, this.#place).run(orders)
    } catch (error) {
      await client.query('ROLLBACK').catch(() => undefined)
      throw error
    }
    await commit(client)
    return answers
  }
}

async function commit(client: Client): Promise<void> {
  try {
    await client.query('COMMIT')
  } catch (error) {
    // the server may have carried it out before the connection was lost
    throw new OutcomeUnknown(error)
  }
}
