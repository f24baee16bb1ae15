import { connect, type Channel, type ConfirmChannel, type ConsumeMessage } from 'amqplib'
import { wholeOf, type Whole } from '../payload.js'
import type { Body, Caller, Closing, Place, System } from '../system.js'
import { openRawParts } from './raw-parts.js'

/** Hand-tuned: what is left to gain is in the client library and the server. */
const CHUNK = 250
const PREFETCH = 300
const NARROW_PREFETCH = 100
const ACK_EVERY = 64
const REPLIES = 'amq.rabbitmq.reply-to'

/** The limit on RabbitMQ: the client library with nothing around it, used as well as it can be. */
export const rawRabbitmq: System = {
  name: 'raw-rabbitmq',
  server: 'rabbitmq',
  yardstick: 'raw-rabbitmq',
  setting: `amqplib, quorum queue, confirms, prefetch ${PREFETCH}, one ack for up to ${ACK_EVERY}`,
  openCaller,
  startWorker: (place, body) => startWorker(place, body, PREFETCH),
  openParts: openRawParts,
}

/** What is left to gain with no more deliveries in a worker than bodies that run in it. */
export const rawRabbitmqNarrow: System = {
  ...rawRabbitmq,
  name: `raw-rabbitmq-${NARROW_PREFETCH}`,
  setting: `the same; prefetch ${NARROW_PREFETCH}`,
  startWorker: (place, body) => startWorker(place, body, NARROW_PREFETCH),
}

async function openCaller({ urls, name }: Place): Promise<Caller> {
  const connection = await connect(urls.rabbitmq ?? '', { noDelay: true })
  const channel = await connection.createConfirmChannel()
  await declare(channel, name)
  const results = new Results(channel, name)
  await results.open()
  return {
    dispatch: (count, inFlight) => publishAll(channel, { queue: name, count, inFlight }),
    result: (number) => results.ask(number),
    close: () => connection.close(),
  }
}

const declare = (channel: Channel, queue: string): Promise<unknown> =>
  channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } })

const bodyOf = (number: number): Buffer => Buffer.from(JSON.stringify(wholeOf(number)))

interface Work {
  readonly queue: string
  readonly count: number
  readonly inFlight: number
}

/** Counts confirms in one callback: no promise for each message. */
function publishAll(channel: ConfirmChannel, { queue, count, inFlight }: Work): Promise<void> {
  return new Promise((resolve, reject) => {
    let sent = 0
    let confirmed = 0
    let isScheduled = false
    const onConfirm = (error: unknown): void => {
      if (error !== null) return reject(new Error('the server refused a message', { cause: error }))
      confirmed += 1
      if (confirmed === count) resolve()
      else schedule()
    }
    const fill = (): void => {
      isScheduled = false
      for (let left = CHUNK; left > 0 && sent < count && sent - confirmed < inFlight; left--) {
        channel.publish('', queue, bodyOf(sent), { persistent: true }, onConfirm)
        sent += 1
      }
      // a chunk may be less than what is allowed in flight
      if (sent < count && sent - confirmed < inFlight) schedule()
    }
    const schedule = (): void => {
      if (isScheduled || sent === count) return
      isScheduled = true
      setImmediate(fill)
    }
    fill()
  })
}

/** Results by direct reply-to. */
class Results {
  readonly #channel: ConfirmChannel
  readonly #queue: string
  readonly #waiting = new Map<string, (answer: string) => void>()
  #asked = 0

  constructor(channel: ConfirmChannel, queue: string) {
    this.#channel = channel
    this.#queue = queue
  }

  async open(): Promise<void> {
    await this.#channel.consume(REPLIES, (reply) => this.#take(reply), { noAck: true })
  }

  ask(number: number): Promise<string> {
    const correlationId = String(++this.#asked)
    return new Promise((resolve) => {
      this.#waiting.set(correlationId, resolve)
      this.#channel.publish('', this.#queue, bodyOf(number), { persistent: true, correlationId, replyTo: REPLIES })
    })
  }

  #take(reply: ConsumeMessage | null): void {
    const id = String(reply?.properties.correlationId)
    const resolve = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (reply !== null) resolve?.(reply.content.toString())
  }
}

async function startWorker({ urls, name }: Place, body: Body, prefetch: number): Promise<Closing> {
  const connection = await connect(urls.rabbitmq ?? '', { noDelay: true })
  const channel = await connection.createChannel()
  await declare(channel, name)
  await channel.prefetch(prefetch)
  let last: ConsumeMessage | undefined
  let unacknowledged = 0
  const flush = (): void => {
    if (last !== undefined) channel.ack(last, true)
    last = undefined
    unacknowledged = 0
  }
  const run = async (message: ConsumeMessage): Promise<void> => {
    // the caller above wrote it
    const { email, asker } = JSON.parse(message.content.toString()) as Whole
    const answer = await body(email, asker.user.id)
    // the caller above set both or none
    const { replyTo, correlationId = '' } = message.properties as { replyTo?: string; correlationId?: string }
    if (replyTo !== undefined) channel.publish('', replyTo, Buffer.from(answer), { correlationId })
    // bodies end in the order of delivery here
    if (last === undefined) setImmediate(flush)
    last = message
    unacknowledged += 1
    if (unacknowledged >= ACK_EVERY) flush()
  }
  await channel.consume(name, (message) => void (message === null ? undefined : run(message)))
  return { close: () => connection.close() }
}
