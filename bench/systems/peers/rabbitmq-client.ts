import { wholeOf, type Whole } from '../../payload.js'
import { inTurns, type Body, type Caller, type Closing, type Place, type System } from '../../system.js'
import { loadPeer, peerRefusal } from './load-peer.js'

interface Client {
  readonly Connection: new (options: { url: string; noDelay: boolean }) => Connection
}

interface Connection {
  createPublisher(options: object): { send(envelope: object, body: unknown): Promise<void>; close(): Promise<void> }
  createConsumer(options: object, handle: (message: Message, reply: (body: unknown) => Promise<void>) => Promise<void>): Consumer
  createRPCClient(options: object): { send(to: object, body: unknown): Promise<{ readonly body: unknown }>; close(): Promise<void> }
  close(): Promise<void>
}

interface Message {
  readonly body: Whole
  readonly replyTo?: string
}

interface Consumer {
  once(event: 'ready', listener: () => void): unknown
  close(): Promise<void>
}

const PACKAGES = ['rabbitmq-client']
const CONCURRENCY = 100

/** As its README shows it, with confirms; `noDelay` on, without which results wait for delayed acknowledgements of TCP. */
export const rabbitmqClient: System = {
  name: 'rabbitmq-client',
  server: 'rabbitmq',
  yardstick: 'raw-rabbitmq',
  setting: 'quorum queue, confirms, concurrency and prefetch 100, noDelay',
  packages: PACKAGES,
  refusal: () => peerRefusal(PACKAGES),
  openCaller,
  startWorker,
}

const queueOf = ({ name }: Place): object => ({ queue: name, durable: true, arguments: { 'x-queue-type': 'quorum' } })

async function connect({ urls }: Place): Promise<Connection> {
  const { Connection } = await loadPeer<Client>('rabbitmq-client')
  return new Connection({ url: urls.rabbitmq ?? '', noDelay: true })
}

async function openCaller(place: Place): Promise<Caller> {
  const connection = await connect(place)
  const publisher = connection.createPublisher({ confirm: true, queues: [queueOf(place)] })
  const rpc = connection.createRPCClient({ confirm: false })
  const to = { routingKey: place.name, durable: true }
  return {
    dispatch: (count, inFlight) => inTurns(count, inFlight, (number) => publisher.send(to, wholeOf(number))),
    result: async (number) => (await rpc.send(to, wholeOf(number))).body,
    close: async () => {
      await Promise.all([publisher.close(), rpc.close()])
      await connection.close()
    },
  }
}

async function startWorker(place: Place, body: Body): Promise<Closing> {
  const connection = await connect(place)
  const options = { queue: place.name, queueOptions: queueOf(place), concurrency: CONCURRENCY, qos: { prefetchCount: CONCURRENCY } }
  const consumer = connection.createConsumer(options, async ({ body: { email, asker }, replyTo }, reply) => {
    const answer = await body(email, asker.user.id)
    if (replyTo !== undefined) await reply(answer)
  })
  await new Promise<void>((resolve) => consumer.once('ready', resolve))
  return {
    close: async () => {
      await consumer.close()
      await connection.close()
    },
  }
}
