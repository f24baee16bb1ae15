import { wholeOf, type Whole } from '../../payload.js'
import { inTurns, type Body, type Caller, type Closing, type Place, type System } from '../../system.js'
import { loadPeer, peerRefusal } from './load-peer.js'

interface Boss {
  on(event: 'error', listener: (error: Error) => void): unknown
  start(): Promise<unknown>
  createQueue(name: string): Promise<void>
  send(name: string, data: Whole): Promise<string | null>
  work(name: string, options: object, handle: (jobs: readonly { readonly data: Whole }[]) => Promise<void>): Promise<string>
  stop(options: object): Promise<void>
}

const PACKAGES = ['pg-boss']
const BATCH = 1000
const POLL_SECONDS = 0.5
const AT_ONCE = { graceful: false, wait: true }

/**
 * It asks for at most one batch in every poll, and half a second is the shortest poll that it takes: 100 tasks in a batch, the
 * concurrency of the others, would be 200 tasks a second at most. A batch is finished as a whole. No results.
 */
export const pgBoss: System = {
  name: 'pg-boss',
  server: 'postgres',
  yardstick: 'raw-rabbitmq',
  setting: 'PostgreSQL with fsync, batches of 1,000 at once, poll 0.5 s (its shortest); no results',
  packages: PACKAGES,
  refusal: () => peerRefusal(PACKAGES),
  openCaller,
  startWorker,
}

async function open({ urls, name }: Place): Promise<Boss> {
  const { default: PgBoss } = await loadPeer<{ readonly default: new (options: object) => Boss }>('pg-boss')
  const boss = new PgBoss({ connectionString: urls.postgres, schema: name.replaceAll('-', '_') })
  boss.on('error', (error) => console.error(error.message))
  await boss.start()
  await boss.createQueue(name)
  return boss
}

async function openCaller(place: Place): Promise<Caller> {
  const boss = await open(place)
  return {
    dispatch: (count, inFlight) => inTurns(count, inFlight, (number) => boss.send(place.name, wholeOf(number))),
    close: () => boss.stop(AT_ONCE),
  }
}

async function startWorker(place: Place, body: Body): Promise<Closing> {
  const boss = await open(place)
  await boss.work(place.name, { batchSize: BATCH, pollingIntervalSeconds: POLL_SECONDS }, async (jobs) => {
    await Promise.all(jobs.map(({ data: { email, asker } }) => body(email, asker.user.id)))
  })
  return { close: () => boss.stop(AT_ONCE) }
}
