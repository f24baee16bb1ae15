import { wholeOf, type Whole } from '../../payload.js'
import { inTurns, type Body, type Caller, type Closing, type Place, type ServerKind, type System } from '../../system.js'
import { loadPeer, peerRefusal } from './load-peer.js'

interface Bullmq {
  readonly Queue: new (name: string, options: object) => Queue
  readonly Worker: new (name: string, handle: (job: { readonly data: Whole }) => Promise<string>, options: object) => Side
  readonly QueueEvents: new (name: string, options: object) => Side
}

interface Side {
  on(event: 'error', listener: (error: Error) => void): unknown
  setMaxListeners(most: number): unknown
  waitUntilReady(): Promise<unknown>
  close(): Promise<void>
}

interface Queue extends Side {
  add(name: string, data: Whole, options: object): Promise<{ waitUntilFinished(events: Side): Promise<unknown> }>
}

interface Ioredis {
  readonly Redis: new (url: string, options: object) => { quit(): Promise<unknown> }
}

const PACKAGES = ['bullmq', 'ioredis']
const CONCURRENCY = 100
/** A finished task that someone may still ask for its result. */
const KEPT = { removeOnComplete: { count: 1000 } }
const DROPPED = { removeOnComplete: true }

/**
 * One job with one promise, concurrency as Errand has it. Redis confirms from memory: a power cut takes what its last snapshot did not
 * have, and with the log what was written in the last second. Its dispatch is therefore no durable one.
 */
export const bullmqSystems: readonly System[] = [
  bullmq('bullmq', { server: 'redis', setting: 'Redis with its default snapshots, concurrency 100; confirmed from memory, not durable' }),
  bullmq('bullmq-aof', { server: 'redis-aof', setting: 'the same; Redis with a log synced every second (appendfsync everysec)' }),
]

function bullmq(name: string, { server, setting }: { readonly server: ServerKind; readonly setting: string }): System {
  return {
    name,
    server,
    yardstick: 'raw-rabbitmq',
    setting,
    packages: PACKAGES,
    refusal: () => peerRefusal(PACKAGES),
    openCaller: (place) => openCaller(place, server),
    startWorker: (place, body) => startWorker(place, { server, body }),
  }
}

async function connect({ urls }: Place, server: ServerKind): Promise<{ quit(): Promise<unknown> }> {
  const { Redis } = await loadPeer<Ioredis>('ioredis')
  // required of a worker, whose waiting commands must not give up
  return new Redis(urls[server] ?? '', { maxRetriesPerRequest: null })
}

async function openCaller(place: Place, server: ServerKind): Promise<Caller> {
  const { Queue, QueueEvents } = await loadPeer<Bullmq>('bullmq')
  const connection = await connect(place, server)
  const queue = new Queue(place.name, { connection })
  const events = new QueueEvents(place.name, { connection })
  await ready(queue, events)
  return {
    dispatch: (count, inFlight) => inTurns(count, inFlight, (number) => queue.add('deliver', wholeOf(number), DROPPED)),
    result: async (number) => (await queue.add('answer', wholeOf(number), KEPT)).waitUntilFinished(events),
    close: async () => {
      await Promise.all([queue.close(), events.close()])
      await connection.quit()
    },
  }
}

async function startWorker(place: Place, { server, body }: { readonly server: ServerKind; readonly body: Body }): Promise<Closing> {
  const { Worker } = await loadPeer<Bullmq>('bullmq')
  const connection = await connect(place, server)
  const handle = ({ data: { email, asker } }: { readonly data: Whole }): Promise<string> => body(email, asker.user.id)
  const worker = new Worker(place.name, handle, { connection, concurrency: CONCURRENCY })
  await ready(worker)
  return {
    close: async () => {
      await worker.close()
      await connection.quit()
    },
  }
}

async function ready(...sides: readonly Side[]): Promise<void> {
  for (const side of sides) {
    // every result that is waited for listens
    side.setMaxListeners(0)
    side.on('error', (error) => console.error(error.message))
    await side.waitUntilReady()
  }
}
