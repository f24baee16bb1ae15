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

const PACKAGES = ['plainjob']
const TYPE = 'deliver'
/** It would look once a second. */
const POLL_MS = 10
const SILENT = { error: console.error, warn: console.error, info: () => {}, debug: () => {} }

/**
 * It sets `synchronous = NORMAL`, with which a power cut takes confirmed tasks; here it is set back to FULL on the connection that it was
 * given. Each task is a transaction of its own, and the worker runs one task after the other: more workers in a process would only poll
 * more, as the library is synchronous. Finished tasks stay in the table, and there are no results.
 */
export const plainjob: System = {
  name: 'plainjob',
  yardstick: 'raw-sqlite',
  setting: 'synchronous = FULL set on its connection, one task at a time, poll 10 ms; no results',
  packages: PACKAGES,
  refusal: () => peerRefusal(PACKAGES),
  openCaller,
  startWorker,
}

async function openQueue({ folder }: Place): Promise<{ readonly queue: Queue; readonly library: Plainjob }> {
  const library = await loadPeer<Plainjob>('plainjob')
  const database = new Database(join(folder, 'plainjob.sqlite'))
  const queue = library.defineQueue({ connection: library.better(database), logger: SILENT })
  database.pragma('synchronous = FULL')
  return { queue, library }
}

async function openCaller(place: Place): Promise<Caller> {
  const { queue } = await openQueue(place)
  return {
    dispatch: (count, inFlight) => inTurns(count, inFlight, async (number) => queue.add(TYPE, wholeOf(number))),
    close: async () => queue.close(),
  }
}

async function startWorker(place: Place, body: Body): Promise<Closing> {
  const { queue, library } = await openQueue(place)
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
