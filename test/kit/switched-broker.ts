import type { Broker, ConsumeOptions, Delivery, OutgoingMessage, QueueCount, Subscription, Verdict, Visit } from '#src/broker/broker.js'
import { openMemoryBroker } from '#src/broker/memory/broker.js'
import { ErrandError, type ErrorCode } from '#src/errors.js'

/** A broker that can be away: it stands for a server on another machine, and outlives those that close it. */
export class SwitchedBroker implements Broker {
  readonly #broker = openMemoryBroker()
  readonly features = this.#broker.features
  /** With what publishes are refused; `undefined` while it is there. */
  refusal: ErrorCode | undefined
  /** As `refusal`, for one message. */
  refusalOf: (message: OutgoingMessage) => ErrorCode | undefined = () => undefined
  /** What was confirmed, in order. */
  readonly published: OutgoingMessage[] = []
  /** Queues that were subscribed to. */
  readonly consumed: string[] = []

  async publish(message: OutgoingMessage): Promise<void> {
    const body = Buffer.from(message.body)
    // a round trip
    await new Promise((resolve) => setImmediate(resolve))
    const refusal = this.refusal ?? this.refusalOf(message)
    if (refusal !== undefined) throw new ErrandError(refusal, 'Refused by the test.')
    await this.#broker.publish({ ...message, toTemporary: false })
    this.published.push({ ...message, body })
  }

  async consume(queue: string, options: ConsumeOptions, handle: (delivery: Delivery) => Promise<Verdict>): Promise<Subscription> {
    await this.ping()
    this.consumed.push(queue)
    return this.#broker.consume(queue, options, handle)
  }

  count(queue: string): Promise<QueueCount> {
    return this.#broker.count(queue)
  }

  browse(queue: string, visit: (delivery: Delivery) => Visit | Promise<Visit>): Promise<void> {
    return this.#broker.browse(queue, visit)
  }

  async ping(): Promise<void> {
    if (this.refusal !== undefined) throw new ErrandError('BROKER_UNREACHABLE', 'Away by the test.')
  }

  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}
