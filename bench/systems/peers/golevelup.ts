import { wholeOf, type Whole } from '../../payload.js'
import { inTurns, type Body, type Caller, type Closing, type Place, type System } from '../../system.js'
import { loadPeer, peerRefusal } from './load-peer.js'

interface Nest {
  readonly NestFactory: { createApplicationContext(module: object, options: object): Promise<Application> }
}

interface Application {
  get(token: unknown): Connection
  close(): Promise<void>
}

interface Golevelup {
  readonly RabbitMQModule: { forRoot(config: object): object }
  readonly AmqpConnection: unknown
}

interface Connection {
  publish(exchange: string, routingKey: string, message: Whole): Promise<boolean>
  request(options: object): Promise<unknown>
  createRpc(handle: (message: Whole) => Promise<unknown>, options: object): Promise<unknown>
}

const PACKAGES = ['@golevelup/nestjs-rabbitmq', '@nestjs/core', 'amqplib']
const CONCURRENCY = 100
const EXCHANGE = 'bench'
const RESULT_TIMEOUT_MS = 60_000

/**
 * In an application context of Nest. Tasks go through a topic exchange, which is its model, and the handler is registered by
 * `createRpc`, which its decorator calls as well.
 */
export const golevelup: System = {
  name: 'golevelup',
  server: 'rabbitmq',
  yardstick: 'raw-rabbitmq',
  setting: 'Nest 11; topic exchange, quorum queue, persistent, confirms, prefetch 100, noDelay, direct reply-to',
  packages: PACKAGES,
  refusal: () => peerRefusal(PACKAGES),
  openCaller,
  startWorker,
}

const QUORUM = { durable: true, arguments: { 'x-queue-type': 'quorum' } }

async function open(place: Place): Promise<{ readonly application: Application; readonly connection: Connection }> {
  await loadPeer('reflect-metadata')
  const { NestFactory } = await loadPeer<Nest>('@nestjs/core')
  const { RabbitMQModule, AmqpConnection } = await loadPeer<Golevelup>('@golevelup/nestjs-rabbitmq')
  const { name, urls } = place
  const module = RabbitMQModule.forRoot({
    uri: urls.rabbitmq,
    exchanges: [{ name: EXCHANGE, type: 'topic' }],
    // on both sides: tasks wait in it before there is a worker
    queues: [{ name, exchange: EXCHANGE, routingKey: name, options: QUORUM }],
    prefetchCount: CONCURRENCY,
    defaultPublishOptions: { persistent: true },
    defaultRpcTimeout: RESULT_TIMEOUT_MS,
    connectionManagerOptions: { connectionOptions: { noDelay: true } },
  })
  const application = await NestFactory.createApplicationContext(module, { logger: ['error', 'warn'] })
  return { application, connection: application.get(AmqpConnection) }
}

async function openCaller(place: Place): Promise<Caller> {
  const { application, connection } = await open(place)
  const to = { exchange: EXCHANGE, routingKey: place.name }
  return {
    dispatch: (count, inFlight) => inTurns(count, inFlight, (number) => connection.publish(to.exchange, to.routingKey, wholeOf(number))),
    result: (number) => connection.request({ ...to, payload: wholeOf(number) }),
    close: () => application.close(),
  }
}

async function startWorker(place: Place, body: Body): Promise<Closing> {
  const { application, connection } = await open(place)
  const handle = ({ email, asker }: Whole): Promise<string> => body(email, asker.user.id)
  await connection.createRpc(handle, { exchange: EXCHANGE, routingKey: place.name, queue: place.name, queueOptions: QUORUM })
  return { close: () => application.close() }
}
