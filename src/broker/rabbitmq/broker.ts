import { AsyncResource } from 'node:async_hooks'
import { outside } from '../../core/outside.js'
import {
  deadQueueOf,
  type Broker,
  type BrokerFeatures,
  type ConsumeOptions,
  type Delivery,
  type OutgoingMessage,
  type QueueCount,
  type Subscription,
  type Verdict,
  type Visit,
} from '../broker.js'
import { browse } from './browse.js'
import { Link } from './link/connection.js'
import { Consumer } from './consume/consumer.js'
import type { ConsumerParts } from './consume/consumer-parts.js'
import { Declarer } from './topology/declarer.js'
import { within } from './link/deadline.js'
import { DELAY_STEP_MS } from './topology/delay.js'
import { readTlsFiles } from './link/dial.js'
import { closedError, REPLY, replyCodeOf, toErrandError } from './link/errors.js'
import { resolveRabbitOptions, type RabbitBrokerOptions, type ResolvedRabbitOptions } from './link/options.js'
import { Publisher } from './publish/publisher.js'
import type { Session } from './link/session.js'
import { checkQueueName, isDead, Topology } from './topology/topology.js'
import { Watches } from './watch/watch.js'

export type { RabbitBrokerOptions } from './link/options.js'

/** How long close() waits for publishes under way. */
const DRAIN_MS = 2000

/** When close() takes longer than this it asks for signs of life: else each of its steps would wait for a line that swallows everything. */
const UNHURRIED_MS = 500

/** A server that takes longer to answer a ping is as good as away. */
const PING_TIMEOUT_MS = 5000

/**
 * Opens a broker on RabbitMQ 3.10 or newer; resolves when the first connection stands, or with `waitForConnection: false` at once.
 * From then on connections come back by themselves, and a publish waits for them until `confirmTimeoutMs` is over, or as
 * `whenAway` says.
 *
 * @throws ErrandError `OPTION_INVALID`, `BROKER_UNREACHABLE` after `connectTimeoutMs`, `BROKER_REFUSED` at once
 */
export async function openRabbitBroker(given: RabbitBrokerOptions): Promise<Broker> {
  const options = resolveRabbitOptions(given)
  const tls = await readTlsFiles(options.tls)
  const broker = new RabbitBroker(options, (role) => new Link(options, tls, role))
  await broker.open()
  return broker
}

class RabbitBroker implements Broker {
  readonly features: BrokerFeatures = { name: 'rabbitmq', survivesRestart: true, crossHost: true, delayStepMs: DELAY_STEP_MS, storesInOrder: false }
  readonly #options: ResolvedRabbitOptions
  readonly #topology: Topology
  readonly #declarer: Declarer
  readonly #publisher: Publisher
  /** Alarms of the server freeze a connection on which messages are published, with everything on it. */
  readonly #publishing: Link
  /** Made with the first consumer: many processes only publish. */
  readonly #consuming: Link
  readonly #watches: Watches
  readonly #consumers = new Set<Consumer>()
  #isClosed = false
  #closing: Promise<void> | undefined

  constructor(options: ResolvedRabbitOptions, link: (role: string) => Link) {
    this.#options = options
    this.#topology = new Topology(options.namespace, options.queueType)
    this.#declarer = new Declarer(this.#topology, options.log)
    this.#publishing = link('publishing')
    this.#consuming = link('consuming')
    this.#publisher = new Publisher(options, { link: this.#publishing, topology: this.#topology, declarer: this.#declarer })
    this.#watches = new Watches({
      link: this.#consuming,
      topology: this.#topology,
      options,
      publish: (publication) => this.#publisher.publish(publication),
    })
  }

  async open(): Promise<void> {
    if (this.#options.waitForConnection) await this.#publishing.open()
    else this.#publishing.openInBackground()
  }

  publish(message: OutgoingMessage): Promise<void> {
    // copies for a later attempt always wait: the consumer holds their messages as long
    return this.#publisher.publish(message, this.#options.whenAway)
  }

  async consume(queue: string, options: ConsumeOptions, handle: (delivery: Delivery) => Promise<Verdict>): Promise<Subscription> {
    checkQueueName(queue)
    this.#refuseClosed(`Cannot consume "${queue}"`)
    const consumer = new Consumer(this.#parts, queue, options, handle)
    this.#consumers.add(consumer)
    try {
      await outside(async () => {
        await this.#consuming.open()
        await consumer.start()
      })
    } catch (error) {
      this.#consumers.delete(consumer)
      await consumer.stop()
      throw error
    }
    return {
      stop: async () => {
        await consumer.stop()
        // what it still has in hand may be settled as late as at close()
        if (consumer.isIdle) this.#consumers.delete(consumer)
      },
    }
  }

  async count(queue: string): Promise<QueueCount> {
    checkQueueName(queue)
    const what = `Cannot count the messages of "${queue}"`
    this.#refuseClosed(what)
    const session = await this.#anySession(what)
    const [waiting, dead] = await Promise.all([
      this.#messagesIn(session, queue, what),
      isDead(queue) ? 0 : this.#messagesIn(session, deadQueueOf(queue), what),
    ])
    return { waiting, dead }
  }

  async browse(queue: string, visit: (delivery: Delivery) => Visit | Promise<Visit>): Promise<void> {
    checkQueueName(queue)
    const what = `Cannot look at the messages of "${queue}"`
    this.#refuseClosed(what)
    // whoever looks decides in its own context, also where that takes another turn of the event loop
    const here = AsyncResource.bind(visit)
    const browsed = { queue, nameOnServer: this.#topology.nameOf(queue), what }
    await outside(async () => {
      // alarms of the server freeze the connection that publishes
      await this.#consuming.open()
      const session = await this.#consuming.ready(PING_TIMEOUT_MS, what)
      await browse(session, browsed, here, (message) => this.publish(message))
    })
  }

  async ping(): Promise<void> {
    const what = 'Cannot reach RabbitMQ'
    this.#refuseClosed(what)
    const session = await this.#anySession(what)
    try {
      // an answer of the server that changes nothing and needs no permission
      const answer = session.statement((channel) => channel.prefetch(0))
      await session.bounded(answer, PING_TIMEOUT_MS)
    } catch (error) {
      throw toErrandError(what, error)
    }
  }

  close(): Promise<void> {
    this.#isClosed = true
    this.#closing ??= outside(() => this.#close())
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  get #parts(): ConsumerParts {
    return {
      link: this.#consuming,
      publisher: this.#publisher,
      declarer: this.#declarer,
      topology: this.#topology,
      watches: this.#watches,
      options: this.#options,
      hasOthers: () => this.#consumers.size > 1,
    }
  }

  async #close(): Promise<void> {
    const cancel = this.#options.clock.after(UNHURRIED_MS, () => {
      for (const { session } of [this.#publishing, this.#consuming]) void session?.expectLife(DRAIN_MS - UNHURRIED_MS)
    })
    try {
      await this.#closeAll()
    } finally {
      cancel()
    }
  }

  async #closeAll(): Promise<void> {
    const stopping = [...this.#consumers].map((consumer) => consumer.stop())
    const [isDrained] = await Promise.all([this.#publisher.drained(DRAIN_MS), ...stopping])
    // a connection that confirmed nothing in this time answers nothing else either
    await this.#publisher.close(isDrained ? DRAIN_MS : 0)
    const ended = Promise.all([...this.#consumers].map((consumer) => consumer.end()))
    await within(ended, DRAIN_MS, () => undefined)
    await Promise.all([this.#publishing.close(isDrained), this.#consuming.close()])
  }

  /** The connection of the consumers where there is one: alarms do not stop it. */
  async #anySession(what: string): Promise<Session> {
    const standing = this.#consuming.session ?? (await this.#publishing.ready(PING_TIMEOUT_MS, what))
    if (standing.blockedBy === undefined) return standing
    // of a blocked connection the server reads nothing
    await outside(() => this.#consuming.open())
    return this.#consuming.ready(PING_TIMEOUT_MS, what)
  }

  async #messagesIn(session: Session, queue: string, what: string): Promise<number> {
    try {
      const { messageCount } = await session.statement((channel) => channel.checkQueue(this.#topology.nameOf(queue)))
      return messageCount
    } catch (error) {
      // not declared yet: nobody published to it or consumed it
      if (replyCodeOf(error) === REPLY.notFound) return 0
      throw toErrandError(what, error)
    }
  }

  #refuseClosed(what: string): void {
    if (this.#isClosed) throw closedError(what)
  }
}
