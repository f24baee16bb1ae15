import Database from 'better-sqlite3'
import { join } from 'node:path'
import { wholeOf, type Whole } from '../../payload.js'
import { inTurns, type Body, type Caller, type Closing, type Place, type System } from '../../system.js'
import { loadPeer, peerRefusal } from './load-peer.js'

interface Plainjob {
  better(database: Database.Database): unknown
  defineQueue(options: object): Queue
  defineWorker(type: string, handle: (job: { readonly data: string }) => Promise<void>, options: object): Worker
}

interface Queue {
  add(type: string, data: Whole): { readonly id: number }
  close(): void
}

interface Worker {
  start(): Promise<void>
  stop(): Promise<void>
}

type Synchronous = 'FULL' | 'NORMAL'

const PACKAGES = ['plainjob']
const TYPE = 'deliver'
/** It would look once a second. */
const POLL_MS = 10
const SILENT = { error: console.error, warn: console.error, info: () => {}, debug: () => {} }

/**
 * It sets `synchronous = NORMAL`, with which a power cut takes confirmed tasks; in the first of the two it is set back to FULL on the
 * connection that it was given. Each task is a transaction of its own, and the worker runs one task after the other: more workers in a
 * process would only poll more, as the library is synchronous. Finished tasks stay in the table, and there are no results.
 */
export const plainjobSystems: readonly System[] = [
  plainjob('plainjob', { synchronous: 'FULL', setting: 'synchronous = FULL set on its connection, one task at a time, poll 10 ms; no results' }),
  plainjob('plainjob-normal', { synchronous: 'NORMAL', setting: 'the same; synchronous = NORMAL, as it sets it: not durable' }),
]

function plainjob(name: string, { synchronous, setting }: { readonly synchronous: Synchronous; readonly setting: string }): System {
  return {
    name,
    yardstick: 'raw-sqlite',
    setting,
    packages: PACKAGES,
    refusal: () => peerRefusal(PACKAGES),
    openCaller: (place) => openCaller(place, synchronous),
    startWorker: (place, body) => startWorker(place, { synchronous, body }),
  }
}

async function openQueue({ folder }: Place, synchronous: Synchronous): Promise<{ readonly queue: Queue; readonly library: Plainjob }> {
  const library = await loadPeer<Plainjob>('plainjob')
  const database = new Database(join(folder, 'plainjob.sqlite'))
  const queue = library.defineQueue({ connection: library.better(database), logger: SILENT })
  database.pragma(`synchronous = ${synchronous}`)
  return { queue, library }
}

async function openCaller(place: Place, synchronous: Synchronous): Promise<Caller> {
  const { queue } = await openQueue(place, synchronous)
  return {
    dispatch: (count, inFlight) => inTurns(count, inFlight, async (number) => queue.add(TYPE, wholeOf(number))),
    close: async () => queue.close(),
  }
}

async function startWorker(place: Place, { synchronous, body }: { readonly synchronous: Synchronous; readonly body: Body }): Promise<Closing> {
  const { queue, library } = await openQueue(place, synchronous)
  const handle = async ({ data }: { readonly data: string }): Promise<void> => {
    // the caller writes nothing else
    const { email, asker } = JSON.parse(data) as Whole
    await body(email, asker.user.id)
  }
  const worker = library.defineWorker(TYPE, handle, { queue, pollIntervall: POLL_MS, logger: SILENT })
  const ended = worker.start()
  return {
    close: async () => {
      await worker.stop()
      await ended
      queue.close()
    },
  }
}
