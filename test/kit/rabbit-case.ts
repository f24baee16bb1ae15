import { connect, type Channel } from 'amqplib'
import { newId } from '#src/core/clock.js'
import type { Logger } from '#src/core/logger.js'
import type { Broker, Delivery, OutgoingMessage, Verdict } from '#src/broker/broker.js'
import { openRabbitBroker, type RabbitBrokerOptions } from '#src/broker/rabbitmq/broker.js'
import { freshNamespace } from './rabbitmq.js'
import { TcpProxy } from './tcp-proxy.js'
import type { Scope } from './temporary.js'

export const DONE: Verdict = { kind: 'done' }

/** A logger that keeps its lines. */
export function keptLog(lines: string[] = []): { log: Logger; lines: string[] } {
  const keep = (message: string): void => void lines.push(message)
  return { log: { debug: keep, info: keep, warn: keep, error: keep }, lines }
}

/** One test's namespace on a server, with brokers that reach it through a proxy. */
export class RabbitCase {
  readonly namespace = freshNamespace()
  /** What the brokers logged. */
  readonly lines: string[] = []
  readonly #scope: Scope
  readonly #url: string

  constructor(scope: Scope, url: string) {
    this.#scope = scope
    this.#url = url
  }

  async proxy(): Promise<TcpProxy> {
    return this.#scope.use(await TcpProxy.to(this.#url))
  }

  async open(more: Partial<RabbitBrokerOptions> = {}): Promise<Broker> {
    const log = keptLog(this.lines).log
    return this.#scope.use(await openRabbitBroker({ urls: [this.#url], namespace: this.namespace, log, ...more }))
  }

  /** Runs a statement as an operator would, beside the broker. */
  async operate<T>(statement: (channel: Channel) => Promise<T>): Promise<T> {
    const connection = await connect(this.#url)
    try {
      return await statement(await connection.createChannel())
    } finally {
      await connection.close()
    }
  }
}

export async function publish(broker: Broker, more: Partial<OutgoingMessage> = {}): Promise<string> {
  const message = { id: newId(), queue: 'mail', body: Buffer.from('body'), ...more }
  await broker.publish(message)
  return message.id
}

/** Consumes `mail` and is done with each delivery at once; the answer grows. */
export async function collect(broker: Broker, concurrency = 10): Promise<Delivery[]> {
  const got: Delivery[] = []
  await broker.consume('mail', { concurrency }, async (delivery) => {
    got.push(delivery)
    return DONE
  })
  return got
}

/** Consumes `mail` and holds each delivery until the test settles it. */
export async function hold(broker: Broker, concurrency = 10): Promise<{ delivery: Delivery; settle(verdict: Verdict): void }[]> {
  const held: { delivery: Delivery; settle(verdict: Verdict): void }[] = []
  await broker.consume('mail', { concurrency }, (delivery) => new Promise((settle) => held.push({ delivery, settle })))
  return held
}

export { codeOf } from './code-of.js'
