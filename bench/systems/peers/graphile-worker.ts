import { wholeOf, type Whole } from '../../payload.js'
import { inTurns, type Body, type Caller, type Closing, type Place, type System } from '../../system.js'
import { loadPeer, peerRefusal } from './load-peer.js'

interface Graphile {
  readonly Logger: new (factory: () => (level: string, message: string) => void) => unknown
  makeWorkerUtils(options: object): Promise<Utils>
  run(options: object): Promise<{ stop(): Promise<void> }>
}

interface Utils {
  migrate(): Promise<void>
  addJob(task: string, payload: Whole): Promise<unknown>
  release(): Promise<void>
}

const PACKAGES = ['graphile-worker']
const CONCURRENCY = 100
const TASK = 'deliver'
/** As its page on performance advises for many short tasks: it takes 500 at once, and reports them together. */
const PRESET = { worker: { localQueue: { size: 500 }, completeJobBatchDelay: 0 } }

/** Woken by LISTEN; ten connections on each side, its default. No results. */
export const graphileWorker: System = {
  name: 'graphile-worker',
  server: 'postgres',
  yardstick: 'raw-rabbitmq',
  setting: 'PostgreSQL with fsync, concurrency 100, local queue of 500, finished tasks reported together; no results',
  packages: PACKAGES,
  refusal: () => peerRefusal(PACKAGES),
  openCaller,
  startWorker,
}

async function settings({ urls, name }: Place): Promise<{ readonly library: Graphile; readonly options: object }> {
  const library = await loadPeer<Graphile>('graphile-worker')
  const logger = new library.Logger(() => (level, message) => {
    if (level === 'error') console.error(message)
  })
  return { library, options: { connectionString: urls.postgres, schema: name.replaceAll('-', '_'), logger } }
}

async function openCaller(place: Place): Promise<Caller> {
  const { library, options } = await settings(place)
  const utils = await library.makeWorkerUtils(options)
  await utils.migrate()
  return {
    dispatch: (count, inFlight) => inTurns(count, inFlight, (number) => utils.addJob(TASK, wholeOf(number))),
    close: () => utils.release(),
  }
}

async function startWorker(place: Place, body: Body): Promise<Closing> {
  const { library, options } = await settings(place)
  const deliver = async ({ email, asker }: Whole): Promise<void> => void (await body(email, asker.user.id))
  const runner = await library.run({
    ...options,
    concurrency: CONCURRENCY,
    noHandleSignals: true,
    taskList: { [TASK]: deliver },
    preset: PRESET,
  })
  return { close: () => runner.stop() }
}
