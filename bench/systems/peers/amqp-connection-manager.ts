import { randomUUID } from 'node:crypto'
import { wholeOf, type Whole } from '../../payload.js'
import { inTurns, type Body, type Caller, type Closing, type Place, type System } from '../../system.js'
import { loadPeer, peerRefusal } from './load-peer.js'

interface Manager {
  readonly connect: (urls: readonly string[], options: object) => Connection
}

interface Connection {
  createChannel(options: object): Channel
  close(): Promise<void>
}

interface Channel {
  waitForConnect(): Promise<void>
  sendToQueue(queue: string, content: unknown, options: object): Promise<unknown>
  consume(queue: string, handle: (message: Message) => void, options: object): Promise<unknown>
  ack(message: Message): void
}

interface Message {
  readonly content: Buffer
  readonly properties: { readonly replyTo?: string; readonly correlationId?: string }
}

const PACKAGES = ['amqp-connection-manager', 'amqplib']
const CONCURRENCY = 100
const REPLIES = 'amq.rabbitmq.reply-to'
const QUORUM = { durable: true, arguments: { 'x-queue-type': 'quorum' } }

/** amqplib with one promise for each confirm and a connection that comes back; it has no request and reply of its own. */
export const amqpConnectionManager: System = {
  name: 'amqp-connection-manager',
  server: 'rabbitmq',
  yardstick: 'raw-rabbitmq',
  setting: 'over amqplib; quorum queue, persistent, confirms, prefetch 100, noDelay, direct reply-to',
  packages: PACKAGES,
  refusal: () => peerRefusal(PACKAGES),
  openCaller,
  startWorker,
}

async function open({ urls, name }: Place): Promise<{ readonly connection: Connection; readonly channel: Channel }> {
  const { connect } = await loadPeer<Manager>('amqp-connection-manager')
  const connection = connect([urls.rabbitmq ?? ''], { connectionOptions: { noDelay: true } })
  const setup = (given: { assertQueue(queue: string, options: object): Promise<unknown> }): Promise<unknown> => given.assertQueue(name, QUORUM)
  const channel = connection.createChannel({ json: true, setup })
  await channel.waitForConnect()
  return { connection, channel }
}

async function openCaller(place: Place): Promise<Caller> {
  const { connection, channel } = await open(place)
  const waiting = new Map<string, (answer: unknown) => void>()
  const take = ({ content, properties: { correlationId = '' } }: Message): void => {
    waiting.get(correlationId)?.(JSON.parse(content.toString()))
    waiting.delete(correlationId)
  }
  await channel.consume(REPLIES, take, { noAck: true })
  const send = (number: number, more: object = {}): Promise<unknown> =>
    channel.sendToQueue(place.name, wholeOf(number), { persistent: true, ...more })
  return {
    dispatch: (count, inFlight) => inTurns(count, inFlight, (number) => send(number)),
    result: async (number) => {
      const correlationId = randomUUID()
      const answer = new Promise((resolve) => waiting.set(correlationId, resolve))
      await send(number, { replyTo: REPLIES, correlationId })
      return answer
    },
    close: () => connection.close(),
  }
}

async function startWorker(place: Place, body: Body): Promise<Closing> {
  const { connection, channel } = await open(place)
  const handle = async (message: Message): Promise<void> => {
    // the caller sends nothing else
    const { email, asker } = JSON.parse(message.content.toString()) as Whole
    const answer = await body(email, asker.user.id)
    const { replyTo, correlationId } = message.properties
    if (replyTo !== undefined) await channel.sendToQueue(replyTo, answer, { correlationId })
    channel.ack(message)
  }
  await channel.consume(place.name, (message) => void handle(message), { prefetch: CONCURRENCY, noAck: false })
  return { close: () => connection.close() }
}
