import { start, withContext, type ConfigInput } from 'errand'
import { runWorker } from 'errand/worker'
import { loadConfig } from '#config/load.js'
import { silentLogger } from '#src/core/logger.js'
import { askerOf, emailOf } from '../payload.js'
import { inTurns, type Caller, type Closing, type Place, type System } from '../system.js'
import { openErrandParts } from './errand-parts.js'
import { Mailer } from './errand-tasks.js'

const CONCURRENCY = 100
const BY_DEFAULT = 'sealed, context, states kept; concurrency 100'

const onRabbit = ({ urls, name }: Place): ConfigInput => ({ broker: { url: urls.rabbitmq, namespace: name } })
const withPostgres = (place: Place): ConfigInput => ({ ...onRabbit(place), store: place.urls.postgres })
const onFile = (): ConfigInput => ({ broker: 'sqlite' })

const rabbitmq = { server: 'rabbitmq', yardstick: 'raw-rabbitmq', broker: onRabbit } as const
const sqlite = { yardstick: 'raw-sqlite', broker: onFile } as const

/** Errand as it is set up by default, and with single settings changed. The least that `seal` can be is its default. */
export const errandSystems: readonly System[] = [
  errand({ ...rabbitmq, name: 'errand-rabbitmq', setting: `quorum queue, ${BY_DEFAULT}` }),
  errand({ ...rabbitmq, name: 'errand-rabbitmq-300', setting: 'the same; concurrency 300' }, { worker: { concurrency: 300 } }),
  errand({ ...rabbitmq, name: 'errand-rabbitmq-untracked', setting: 'the same; store: off' }, { store: 'off' }),
  errand({ ...rabbitmq, name: 'errand-rabbitmq-encrypted', setting: 'the same; seal: message' }, { seal: 'message' }),
  errand({ ...rabbitmq, name: 'errand-rabbitmq-postgres', setting: 'the same; store: PostgreSQL with fsync, a part of the server', store: 'postgres', broker: withPostgres }),
  errand({ ...sqlite, name: 'errand-sqlite', setting: `durability: full, ${BY_DEFAULT}` }),
  errand({ ...sqlite, name: 'errand-sqlite-untracked', setting: 'the same; store: off' }, { store: 'off' }),
  errand({ ...sqlite, name: 'errand-sqlite-encrypted', setting: 'the same; seal: message' }, { seal: 'message' }),
]

type Facts = Pick<System, 'name' | 'server' | 'store' | 'yardstick' | 'setting'>

function errand({ broker, ...facts }: Facts & { readonly broker: (place: Place) => ConfigInput }, changed: ConfigInput = {}): System {
  const configOf = (place: Place): ConfigInput => ({
    withAsync: true,
    service: 'bench',
    environment: 'bench',
    dataDir: place.folder,
    ...broker(place),
    ...changed,
    worker: { spawn: false, concurrency: CONCURRENCY, ...changed.worker },
  })
  return {
    ...facts,
    openCaller: (place) => openCaller(configOf(place)),
    startWorker: (place) => startWorker(configOf(place)),
    openParts: async (place) => openErrandParts(await loadConfig({ overrides: configOf(place) })),
  }
}

async function openCaller(config: ConfigInput): Promise<Caller> {
  const running = await start(config)
  const mailer = new Mailer()
  return {
    dispatch: (count, inFlight) => inTurns(count, inFlight, (number) => withContext(askerOf(number), () => mailer.deliver(emailOf(number)))),
    result: (number) => withContext(askerOf(number), () => mailer.answer(emailOf(number))),
    close: () => running.stop(),
  }
}

async function startWorker(config: ConfigInput): Promise<Closing> {
  const modules = [new URL('./errand-tasks.js', import.meta.url).href]
  const worker = await runWorker({ ...config, modules, logger: silentLogger })
  return { close: () => worker.stop({ graceMs: 1000 }) }
}
