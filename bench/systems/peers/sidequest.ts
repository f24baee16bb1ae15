import { fileURLToPath } from 'node:url'
import { wholeOf, type Whole } from '../../payload.js'
import { inTurns, type Body, type Caller, type Closing, type Place, type System } from '../../system.js'
import { loadPeer, peerRefusal } from './load-peer.js'

interface Library {
  readonly Sidequest: Sidequest
}

interface Sidequest {
  configure(config: object): Promise<unknown>
  start(config: object): Promise<unknown>
  stop(): Promise<void>
  build(job: unknown): { enqueue(whole: Whole): Promise<unknown> }
}

const PACKAGES = ['sidequest', '@sidequest/postgres-backend']
const CONCURRENCY = 100
/** It would look every 100 ms. */
const POLL_MS = 10
/** On a busy machine it runs 300 in a second. */
const MOST = 5000
const JOBS = new URL('./sidequest-job.js', import.meta.url)

/**
 * On PostgreSQL, which it recommends. Jobs run in the worker's own process (`fork: false`, `runner: 'inline'`), as those of the others do;
 * by default they run in threads of another process. Nobody can wait for a result, it would have to be asked for.
 */
export const sidequest: System = {
  name: 'sidequest',
  server: 'postgres',
  yardstick: 'raw-rabbitmq',
  setting: 'PostgreSQL with fsync, jobs in the process of the worker, concurrency 100, poll 10 ms; no results',
  packages: PACKAGES,
  oldestNode: '22.6',
  most: MOST,
  refusal: () => peerRefusal(PACKAGES),
  openCaller,
  startWorker,
}

const configOf = ({ urls, name }: Place): object => ({
  backend: { driver: '@sidequest/postgres-backend', config: { connection: urls.postgres, searchPath: [name.replaceAll('-', '_')] } },
  manualJobResolution: true,
  jobsFilePath: fileURLToPath(JOBS),
  logger: { level: 'error' },
  gracefulShutdown: false,
})

async function openCaller(place: Place): Promise<Caller> {
  const { Sidequest } = await loadPeer<Library>('sidequest')
  await Sidequest.configure(configOf(place))
  // this file exports it
  const { Deliver } = (await import(JOBS.href)) as { readonly Deliver: unknown }
  return {
    dispatch: (count, inFlight) => inTurns(count, inFlight, (number) => Sidequest.build(Deliver).enqueue(wholeOf(number))),
    close: () => Sidequest.stop(),
  }
}

/** Its job takes the body from the counter of this process, as it is found by its file. */
async function startWorker(place: Place, _body: Body): Promise<Closing> {
  const { Sidequest } = await loadPeer<Library>('sidequest')
  await Sidequest.start({
    ...configOf(place),
    fork: false,
    runner: 'inline',
    maxConcurrentJobs: CONCURRENCY,
    queueDefaults: { concurrency: CONCURRENCY },
    jobPollingInterval: POLL_MS,
    dashboard: { enabled: false },
  })
  return { close: () => Sidequest.stop() }
}
