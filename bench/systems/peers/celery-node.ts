import { randomUUID } from 'node:crypto'
import { wholeOf, type Whole } from '../../payload.js'
import { inTurns, type Body, type Caller, type Closing, type Place, type System } from '../../system.js'
import { loadPeer, peerRefusal } from './load-peer.js'

interface Celery {
  readonly createClient: (broker: string, backend: string, queue: string) => Client
  readonly createWorker: (broker: string, backend: string, queue: string) => Worker
}

interface Client {
  isReady(): Promise<unknown>
  disconnect(): Promise<unknown>
  readonly createTaskMessage: (id: string, name: string, args: readonly unknown[], kwargs: object) => Message
  readonly broker: { publish(body: unknown, exchange: string, queue: string, headers: object, properties: object): Promise<unknown> }
}

interface Message {
  readonly body: unknown
  readonly headers: object
  readonly properties: object
}

interface Worker {
  isReady(): Promise<unknown>
  register(name: string, handle: (whole: Whole) => Promise<string>): void
  start(): Promise<unknown>
}

const PACKAGES = ['celery-node']
const TASK = 'deliver'

/**
 * Caller and worker of it in Node. On Redis, as on RabbitMQ it declares a queue for every call and one more for every result, has no
 * confirms and no prefetch. It takes one message in a round trip, which is gone then: a worker that dies loses it. Its own send gives no
 * promise; what it does is done here, so that dispatch ends when Redis has the task. Every task stores a result, but a caller learns of
 * it only by asking every 500 ms, which is no figure.
 */
export const celeryNode: System = {
  name: 'celery-node',
  server: 'redis',
  yardstick: 'raw-rabbitmq',
  setting: 'Redis with its default snapshots; takes a task off before it runs, confirmed from memory, not durable; results not measured',
  packages: PACKAGES,
  refusal: () => peerRefusal(PACKAGES),
  openCaller,
  startWorker,
}

async function openCaller({ urls, name }: Place): Promise<Caller> {
  const { createClient } = await loadPeer<Celery>('celery-node')
  const url = urls.redis ?? ''
  const client = createClient(url, url, name)
  await client.isReady()
  const send = async (number: number): Promise<void> => {
    const { body, headers, properties } = client.createTaskMessage(randomUUID(), TASK, [wholeOf(number)], {})
    await client.isReady()
    await client.broker.publish(body, '', name, headers, properties)
  }
  return {
    dispatch: (count, inFlight) => inTurns(count, inFlight, send),
    close: async () => void (await client.disconnect()),
  }
}

async function startWorker({ urls, name }: Place, body: Body): Promise<Closing> {
  const { createWorker } = await loadPeer<Celery>('celery-node')
  // it writes two lines for each task, with all its arguments
  console.info = () => {}
  const url = urls.redis ?? ''
  const worker = createWorker(url, url, name)
  worker.register(TASK, ({ email, asker }) => body(email, asker.user.id))
  await worker.isReady()
  void worker.start()
  // it cannot be stopped ("not implemented yet"), and ends with its process
  return { close: async () => {} }
}
