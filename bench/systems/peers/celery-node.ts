import { randomUUID } from 'node:crypto'
import { wholeOf, type Whole } from '../../payload.js'
import { inTurns, type Body, type Caller, type Closing, type Place, type System } from '../../system.js'
import { loadPeer, peerRefusal } from './load-peer.js'

interface Celery {
  readonly createClient: (broker: string, backend: string, queue: string) => Client
  readonly createWorker: (broker: string, backend: string, queue: string) => Worker
}

interface Client {
  readonly conf: Conf
  isReady(): Promise<unknown>
  disconnect(): Promise<unknown>
  readonly createTaskMessage: (id: string, name: string, args: readonly unknown[], kwargs: object) => Message
  readonly broker: { publish(body: unknown, exchange: string, queue: string, headers: object, properties: object): Promise<unknown> }
}

interface Conf {
  readonly CELERY_BROKER_OPTIONS: object
  readonly CELERY_BACKEND_OPTIONS: object
}

interface Message {
  readonly body: unknown
  readonly headers: object
  readonly properties: object
}

interface Worker {
  readonly conf: Conf
  isReady(): Promise<unknown>
  register(name: string, handle: (whole: Whole) => Promise<string>): void
  start(): Promise<unknown>
}

const PACKAGES = ['celery-node']
const TASK = 'deliver'
/** On RabbitMQ it sends less than a thousand in a second, and leaves a queue for each. */
const MOST = 1000

/**
 * Caller and worker of it in Node. It takes a message off before the body runs: a worker that dies loses it. Its own send gives no
 * promise; what it does is done here, so that dispatch ends when the server has the task. Every task stores a result, but a caller learns
 * of it only by asking every 500 ms, which is no figure. On RabbitMQ it declares a queue for every call and one more for every result, and
 * has no confirms and no prefetch.
 */
export const celeryNodeSystems: readonly System[] = [
  celeryNode('celery-node', {
    server: 'redis',
    setting: 'Redis with its default snapshots; takes a task off before it runs, confirmed from memory, not durable; results not measured',
  }),
  celeryNode('celery-node-rabbitmq', {
    server: 'rabbitmq',
    setting: 'classic durable queue, persistent, no confirms, noDelay; takes a task off before it runs; results not measured',
    most: MOST,
  }),
]

type Facts = Pick<System, 'setting' | 'most'> & { readonly server: 'redis' | 'rabbitmq' }

function celeryNode(name: string, facts: Facts): System {
  return {
    name,
    ...facts,
    yardstick: 'raw-rabbitmq',
    packages: PACKAGES,
    refusal: () => peerRefusal(PACKAGES),
    openCaller: (place) => openCaller(place, facts),
    startWorker: (place, body) => startWorker(place, { ...facts, body }),
  }
}

async function openCaller({ urls, name }: Place, { server }: Facts): Promise<Caller> {
  const { createClient } = await loadPeer<Celery>('celery-node')
  const url = urls[server] ?? ''
  const client = withNoDelay(createClient(url, url, name), server)
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

async function startWorker({ urls, name }: Place, { server, body }: Facts & { readonly body: Body }): Promise<Closing> {
  const { createWorker } = await loadPeer<Celery>('celery-node')
  // it writes two lines for each task, with all its arguments
  console.info = () => {}
  const url = urls[server] ?? ''
  const worker = withNoDelay(createWorker(url, url, name), server)
  worker.register(TASK, ({ email, asker }) => body(email, asker.user.id))
  await worker.isReady()
  void worker.start()
  // it cannot be stopped ("not implemented yet"), and ends with its process
  return { close: async () => {} }
}

/** It connects when it is first used. The client of Redis does so by itself. */
function withNoDelay<T extends { readonly conf: Conf }>(side: T, server: Facts['server']): T {
  if (server === 'rabbitmq') Object.assign(side.conf, { CELERY_BROKER_OPTIONS: { noDelay: true }, CELERY_BACKEND_OPTIONS: { noDelay: true } })
  return side
}
