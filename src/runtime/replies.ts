import type { Broker, Delivery, Subscription, Verdict } from '../broker/broker.js'
import { newId } from '../core/clock.js'
import type { Logger } from '../core/logger.js'
import type { Messages, Outcome } from '../core/message.js'

/** Outcomes on their way to this process, handled at once. */
const CONCURRENCY = 500

/**
 * Outcomes of calls that this process waits for: they come as messages on a temporary queue of its own, opened when the first
 * call needs it.
 */
export class Replies {
  /** The queue of this process; a call that wants its outcome carries it. */
  readonly address = `reply-${newId()}`
  readonly #broker: Broker
  readonly #messages: Messages
  readonly #log: Logger
  readonly #waiting = new Map<string, (outcome: Outcome) => void>()
  #opening: Promise<Subscription> | undefined

  constructor(broker: Broker, messages: Messages, log: Logger) {
    this.#broker = broker
    this.#messages = messages
    this.#log = log
  }

  /** Calls `settle` when the outcome of `id` comes. Resolves once it can come. The answer stops waiting. */
  async expect(id: string, settle: (outcome: Outcome) => void): Promise<() => void> {
    this.#waiting.set(id, settle)
    try {
      await (this.#opening ??= this.#open())
    } catch (error) {
      this.#waiting.delete(id)
      this.#opening = undefined
      throw error
    }
    return () => this.#waiting.delete(id)
  }

  /** Stops receiving; who still waits goes on waiting until its own timeout. */
  async close(): Promise<void> {
    const subscription = await this.#opening?.catch(() => undefined)
    await subscription?.stop()
  }

  #open(): Promise<Subscription> {
    return this.#broker.consume(this.address, { concurrency: CONCURRENCY, temporary: true }, (delivery) => this.#receive(delivery))
  }

  async #receive(delivery: Delivery): Promise<Verdict> {
    try {
      const { id, outcome } = this.#messages.openOutcome(delivery.body)
      const settle = this.#waiting.get(id)
      this.#waiting.delete(id)
      settle?.(outcome)
    } catch (error) {
      this.#log.warn(`An outcome that arrived cannot be read and is dropped: ${error instanceof Error ? error.message : 'unknown'}`)
    }
    return { kind: 'done' }
  }
}
