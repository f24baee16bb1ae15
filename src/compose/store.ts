import type { Config } from '../../config/config.js'
import { systemClock, type Clock } from '../core/clock.js'
import type { Logger } from '../core/logger.js'
import { assertNever, ErrandError } from '../errors.js'
import type { Room } from '../sqlite/room.js'
import type { SqliteStore } from '../store/sqlite/store.js'
import type { Store } from '../store/store.js'
import { lazyStore } from './lazy-store.js'

/** How long a change may take to reach a server before the tasks go on without it. */
const PATIENCE_MS = 2_000

/** Opens the configured store, `undefined` where none is; only the driver that is needed is loaded. */
export async function openStore(config: Config, log: Logger, clock: Clock = systemClock): Promise<Store | undefined> {
  const { store } = config
  switch (store.kind) {
    case 'off':
      return undefined
    case 'sqlite':
      return openEmbeddedStore(config, store.file, { log, clock })
    case 'postgres': {
      const { openPostgresStore } = await import('../store/postgres/store.js')
      return openPostgresStore({ url: store.url, namespace: namespaceOf(config), patienceMs: PATIENCE_MS, clock, log })
    }
    case 'memory': {
      const { openMemoryStore } = await import('../store/memory.js')
      return openMemoryStore({ clock, log })
    }
    default:
      return assertNever(store)
  }
}

/** The configured store, also where it cannot be reached yet: tasks run without it until it can. What is wrong for good is thrown. */
export async function openPatientStore(config: Config, log: Logger, clock: Clock): Promise<Store | undefined> {
  if (config.store.kind === 'off') return undefined
  const open = async (): Promise<Store> => {
    const opened = await openStore(config, log, clock)
    if (opened === undefined) throw new ErrandError('STORE_CLOSED', 'There is no store of task states: the configuration says "store: off".')
    return opened
  }
  if (config.store.kind !== 'postgres') return open()
  const store = lazyStore(open)
  try {
    await store.find({ id: 'reachable' })
  } catch (error) {
    if (!(error instanceof ErrandError) || error.code !== 'STORE_UNREACHABLE') throw error
    log.warn(`Tasks run, and how they stand is not kept for now: ${error.message}`)
  }
  return store
}

/** Opens the store in a file, or in a room that has it open. */
export async function openEmbeddedStore(
  config: Config,
  file: string | Room,
  using: { readonly log: Logger; readonly clock: Clock },
): Promise<SqliteStore> {
  const { openSqliteStore } = await import('../store/sqlite/open.js')
  const durability = config.store.kind === 'sqlite' ? config.store.durability : undefined
  return openSqliteStore({ file, durability, namespace: namespaceOf(config), ...using })
}

/** Environments are kept apart, as their messages are. */
const namespaceOf = ({ service, environment }: Config): string => `${service}:${environment}`
