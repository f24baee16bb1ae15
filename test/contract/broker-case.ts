import { newId } from '#src/core/clock.js'
import type { Broker, ConsumeOptions, Delivery, OutgoingMessage, Subscription, Verdict } from '#src/broker/broker.js'
import type { Scope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

/** What a driver gives to be held against the contract. */
export interface BrokerHarness {
  /** A connection to the queues of this test; two calls with one scope may share them or not. */
  open(scope: Scope): Promise<Broker>
  /** A further connection to the queues of this test, as another process has one. @defaultValue the first connection again */
  second?(scope: Scope): Promise<Broker>
  /** Takes one message of `queue` in a consumer of its own, which dies while it holds the message; resolves after its death. */
  crash?(scope: Scope, queue: string): Promise<void>
  /** Cases this driver cannot pass: name to reason. A case listed here that passes, or that does not exist, fails the suite. */
  readonly except?: Readonly<Record<string, string>>
}

/** A delivery that a test holds until it settles it. */
export interface Held {
  readonly delivery: Delivery
  settle(verdict: Verdict): void
}

export const DONE: Verdict = { kind: 'done' }

/** One test's connection, its own queue, and the ways of asking. */
export class BrokerCase {
  readonly broker: Broker
  /** No other test uses a queue of this name. */
  readonly queue = `contract-${newId()}`
  readonly #harness: BrokerHarness
  readonly #scope: Scope
  readonly #patienceMs: number

  constructor(harness: BrokerHarness, scope: Scope, broker: Broker, patienceMs: number) {
    this.#harness = harness
    this.#scope = scope
    this.broker = broker
    this.#patienceMs = patienceMs
  }

  async second(): Promise<Broker> {
    if (this.#harness.second === undefined) return this.broker
    return this.#scope.use(await this.#harness.second(this.#scope))
  }

  async crash(): Promise<void> {
    if (this.#harness.crash === undefined) throw new Error('this driver has no way to lose a consumer')
    await this.#harness.crash(this.#scope, this.queue)
  }

  async until<T>(what: string, condition: () => T | Promise<T>): Promise<Exclude<T, false | null | undefined>> {
    return until(what, condition, this.#patienceMs)
  }

  /** Publishes to the queue of this test; the id unless given is new. */
  async publish(more: Partial<OutgoingMessage> = {}, broker = this.broker): Promise<string> {
    const message = { id: newId(), queue: this.queue, body: Buffer.from('body'), ...more }
    await broker.publish(message)
    return message.id
  }

  /** Consumes and settles each delivery by what `verdict` says of it; the answer grows. */
  async collect(verdict: (delivery: Delivery) => Verdict = () => DONE, options: Consuming = {}): Promise<Delivery[]> {
    const { broker = this.broker, queue = this.queue, ...rest } = options
    const got: Delivery[] = []
    await broker.consume(queue, { concurrency: 10, ...rest }, async (delivery) => {
      got.push(delivery)
      return verdict(delivery)
    })
    return got
  }

  /** Consumes and holds each delivery until the test settles it. */
  async hold(options: Consuming = {}): Promise<{ held: Held[]; subscription: Subscription }> {
    const { broker = this.broker, queue = this.queue, ...rest } = options
    const held: Held[] = []
    const handle = (delivery: Delivery): Promise<Verdict> => new Promise((settle) => held.push({ delivery, settle }))
    const subscription = await broker.consume(queue, { concurrency: 10, ...rest }, handle)
    return { held, subscription }
  }

  /** Waits until `held` has `count` deliveries and gives the last of them. */
  async nth(held: readonly Held[], count: number): Promise<Held> {
    return this.until(`delivery ${count}`, () => held[count - 1])
  }

  /**
   * Resolves when a message published now has been taken from the queue: anything due before it on the same connection has been
   * taken by then too, so what has not come will not come.
   */
  async drained(got: readonly Delivery[]): Promise<void> {
    const id = await this.publish({ priority: 0 })
    await this.until('the closing message', () => got.some((delivery) => delivery.id === id))
  }
}

interface Consuming extends Partial<ConsumeOptions> {
  readonly broker?: Broker
  readonly queue?: string
}

/** Cases by name; the name is a sentence about what holds. */
export type BrokerCases = Readonly<Record<string, (c: BrokerCase) => Promise<void>>>
