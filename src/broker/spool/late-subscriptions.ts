import type { Logger } from '../../core/logger.js'
import { ErrandError } from '../../errors.js'
import type { Broker, ConsumeOptions, Delivery, Subscription, Verdict } from '../broker.js'

type Handle = (delivery: Delivery) => Promise<Verdict>

/** How long whoever subscribes waits, and how long what is kept waits for the queues that its answers go to. */
const PATIENCE_MS = 1_000
const READY_PATIENCE_MS = 10_000
const PAUSE_MS = 200

/**
 * Subscriptions to temporary queues that stand later where the broker is away now: calls that want an answer can be kept all the
 * same, because they leave when the queue for it stands.
 */
export class LateSubscriptions {
  readonly #remote: Broker
  readonly #log: Logger
  readonly #opening = new Set<Promise<unknown>>()
  #isClosed = false

  constructor(remote: Broker, log: Logger) {
    this.#remote = remote
    this.#log = log
  }

  /** Resolves when it stands, or soon. @throws what the broker refuses with, as long as somebody waits */
  async open(queue: string, options: ConsumeOptions, handle: Handle): Promise<Subscription> {
    const ask = { isWanted: true }
    const standing = this.#openOnce(() => this.#remote.consume(queue, options, handle), ask)
    this.#opening.add(standing)
    const forget = (): void => void this.#opening.delete(standing)
    standing.then(forget, (error: unknown) => {
      forget()
      if (!this.#isClosed) this.#log.warn(`The temporary queue "${queue}" cannot be opened: no answer can come. ${String(error)}`)
    })
    await withinMs(PATIENCE_MS, standing)
    return {
      stop: async () => {
        ask.isWanted = false
        if (!this.#opening.has(standing)) await (await standing)?.stop()
      },
    }
  }

  /** Resolves when all that were asked for stand, or after some seconds. */
  async ready(): Promise<void> {
    if (this.#opening.size > 0) await withinMs(READY_PATIENCE_MS, Promise.allSettled(this.#opening))
  }

  /** Asks for nothing more; what stands goes with the broker. */
  close(): void {
    this.#isClosed = true
  }

  async #openOnce(consume: () => Promise<Subscription>, ask: { isWanted: boolean }): Promise<Subscription | undefined> {
    while (ask.isWanted && !this.#isClosed) {
      try {
        const subscription = await consume()
        if (!ask.isWanted) await subscription.stop()
        return subscription
      } catch (error) {
        if (!(error instanceof ErrandError) || error.code !== 'BROKER_UNREACHABLE') throw error
      }
      await this.#untilThere(ask)
    }
    return undefined
  }

  /** Subscribing in vain would tell people each time; asking whether the broker is there tells nobody. */
  async #untilThere(ask: { readonly isWanted: boolean }): Promise<void> {
    for (let isThere = false; !isThere && ask.isWanted && !this.#isClosed; ) {
      await withinMs(PAUSE_MS, new Promise(() => {}))
      isThere = await this.#remote.ping().then(() => true, () => false)
    }
  }
}

/** Resolves with the work or after `ms`, whatever is first; rejects with the work. */
async function withinMs(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  try {
    await Promise.race([work, new Promise((resolve) => (timer = setTimeout(resolve, ms)))])
  } finally {
    clearTimeout(timer)
  }
}
