import { Attempt, idsOf, split } from './attempt.js'
import { Batch } from './batch.js'
import type { Client } from './client.js'
import { OutcomeUnknown, type Link } from './link.js'
import { notify } from './notices.js'
import type { Answer, Expected, Order, Place } from './order.js'
import { Recent } from './recent.js'

interface Job {
  readonly order: Order
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

/** Orders in one transaction at most. */
const MOST_JOBS = 200
const WHAT = 'Cannot record changes'

/**
 * The only writer of a process: everything handed in while a transaction is under way goes into the next one, so that the round
 * trips and the flush are shared. A lone order waits for nobody.
 */
export class Writer {
  readonly #link: Link
  readonly #place: Place
  readonly #recent = new Recent()
  #jobs: Job[] = []
  #running: Promise<void> | undefined
  #told: Promise<void> = Promise.resolve()

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

  /** Resolves when everything handed in so far is committed or refused, and told. */
  async idle(): Promise<void> {
    await this.#running
    await this.#told
  }

  async #run(): Promise<void> {
    while (this.#jobs.length > 0) {
      // what is handed in within the same turn of the event loop goes along
      await new Promise((resolve) => setImmediate(resolve))
      const jobs = this.#jobs.splice(0, MOST_JOBS)
      const unanswered = new Map<Order, Expected>()
      let left = jobs
      for (const isAgain of [false, true]) if (left.length > 0) left = await this.#attempt(left, { isAgain, unanswered })
      if (left.length === 0 || (await this.#commit(left, unanswered))) continue
      for (const job of left) await this.#commit([job], unanswered)
    }
    this.#running = undefined
  }

  /** Answers those that somebody else was quicker with twice, or that need a lock for another reason. */
  async #attempt(jobs: readonly Job[], { isAgain, unanswered }: { isAgain: boolean; unanswered: Map<Order, Expected> }): Promise<Job[]> {
    const orders = split(jobs.map(({ order }) => order)).filter((order) => !unanswered.has(order))
    if (orders.length === 0) return [...jobs]
    let attempt: Attempt | undefined
    try {
      const answers = await this.#link.run(WHAT, async (client) => {
        // the connection was lost, and is there again
        if (attempt !== undefined && attempt.unanswered.size > 0) return new Map<Order, Answer>()
        attempt = new Attempt(client, this.#place, this.#recent)
        return attempt.run(orders, { isAgain, onTold: (told) => void (this.#told = told) })
      })
      for (const { order, resolve } of jobs) {
        const answer = answers.get(order)
        if (answer !== undefined) resolve(answer)
      }
      return jobs.filter(({ order }) => !answers.has(order))
    } catch (error) {
      if (isRefusal(error)) return [...jobs]
      for (const job of jobs) job.reject(error)
      return []
    } finally {
      for (const [order, expected] of attempt?.unanswered ?? []) unanswered.set(order, expected)
    }
  }

  /** Answers `false` where the jobs are to be tried one by one: the server refused one of them. */
  async #commit(jobs: readonly Job[], unanswered: ReadonlyMap<Order, Expected>): Promise<boolean> {
    try {
      const orders = jobs.map(({ order }) => order)
      const answers = await this.#link.run(WHAT, (client) => this.#transaction(client, orders, unanswered))
      for (const [index, job] of jobs.entries()) job.resolve(answers[index] ?? [])
      return true
    } catch (error) {
      if (isRefusal(error) && jobs.length > 1) return false
      for (const job of jobs) job.reject(error)
      return true
    }
  }

  async #transaction(client: Client, orders: readonly Order[], unanswered: ReadonlyMap<Order, Expected>): Promise<readonly Answer[]> {
    for (const id of orders.flatMap(idsOf)) this.#recent.forget(id)
    const batch = new Batch(client, this.#place)
    await client.query('BEGIN')
    let answers
    try {
      answers = await batch.run(orders, unanswered)
    } catch (error) {
      await client.query('ROLLBACK').catch(() => undefined)
      throw error
    }
    const committed = commit(client)
    this.#told = notify(client, this.#place.channel, batch.changed)
    await committed
    return answers
  }
}

/** One of the orders may be the reason. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'STORE_REFUSED'
}

async function commit(client: Client): Promise<void> {
  try {
    await client.query('COMMIT')
  } catch (error) {
    // the server may have carried it out before the connection was lost
    throw new OutcomeUnknown(error)
  }
}
