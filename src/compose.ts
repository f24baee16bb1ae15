import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { loadKeys } from '../config/keys.js'
import type { Config } from '../config/config.js'
import type { Broker, QueueCount } from './broker/broker.js'
import type { Locks } from './broker/locks.js'
import { systemClock, type Clock } from './core/clock.js'
import type { Logger } from './core/logger.js'
import { createMessages } from './core/message.js'
import { outside } from './core/outside.js'
import type { ErrorReporter } from './core/report.js'
import { parseKeyRing } from './core/seal/key-ring.js'
import { assertNever, ErrandError } from './errors.js'
import type { Runtime } from './runtime/runtime.js'

/** What a process brings along to be composed with its configuration. */
export interface ComposeExtras {
  readonly log: Logger
  readonly report?: ErrorReporter | undefined
  readonly clock?: Clock | undefined
  /** Use this broker instead of opening the configured one; it is closed with the runtime. */
  readonly broker?: Broker | undefined
}

/** A runtime and the way to let go of everything it opened. */
export interface Composed extends Runtime {
  /** Lets go of held names and closes the broker. Safe twice. */
  close(): Promise<void>
}

/**
 * Opens what the configuration names and puts it together.
 * @throws ErrandError `BROKER_UNREACHABLE`, `BROKER_REFUSED`, `PACKAGE_MISSING`, `DRIVER_UNSUPPORTED`, `KEY_MISSING`, `KEY_INVALID`
 */
export async function compose(config: Config, extras: ComposeExtras): Promise<Composed> {
  const clock = extras.clock ?? systemClock
  const keys = parseKeyRing(await loadKeys(config))
  const { service: app, environment: env, seal, secretHeaders, payloadLimit } = config
  const messages = createMessages({ keys, app, env, seal, secretHeaders, payloadLimit, clock })
  // a call inside a request may be what starts everything; no driver may see that request
  const broker = extras.broker ?? (await outside(() => openWithOutbox(config, extras.log, clock)))
  const locks = new LazyLocks(() => outside(() => openLocks(config, extras.log, clock)))
  return {
    settings: config,
    broker,
    locks: () => locks.open(),
    messages,
    clock,
    log: extras.log,
    report: extras.report ?? (() => {}),
    close: async () => {
      await locks.close()
      await broker.close()
    },
  }
}

/** Most processes run nothing that is limited, so names are only opened when one is wanted. */
class LazyLocks {
  readonly #open: () => Promise<Locks>
  #locks: Promise<Locks> | undefined
  #isClosed = false

  constructor(open: () => Promise<Locks>) {
    this.#open = open
  }

  open(): Promise<Locks> {
    if (this.#isClosed) return Promise.reject(new ErrandError('BROKER_CLOSED', 'Cannot take a name: this process is closing.'))
    if (this.#locks !== undefined) return this.#locks
    const opening = this.#open()
    this.#locks = opening
    // the next one to ask tries again
    opening.catch(() => (this.#locks = undefined))
    return opening
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const locks = await this.#locks?.catch(() => undefined)
    await locks?.close()
  }
}

/** Opens names that one process of all that use the configured broker holds at a time. */
export async function openLocks(config: Config, log: Logger, clock: Clock = systemClock): Promise<Locks> {
  const { broker, service } = config
  switch (broker.kind) {
    case 'sqlite': {
      const { openSqliteLocks } = await import('./broker/sqlite/locks.js')
      return openSqliteLocks({ file: broker.file, namespace: service, clock, log })
    }
    case 'rabbitmq': {
      const { openRabbitLocks } = await import('./broker/rabbitmq/locks.js')
      const { kind: _kind, ...options } = broker
      return openRabbitLocks({ ...options, clock, log })
    }
    case 'memory': {
      const { openMemoryLocks } = await import('./broker/memory/locks.js')
      return openMemoryLocks()
    }
    default:
      return assertNever(broker)
  }
}

/** Opens the configured broker, with the outbox in front where one is asked for: then it need not be there. */
export async function openWithOutbox(config: Config, log: Logger, clock: Clock): Promise<Broker> {
  if (config.whenBrokerAway !== 'spool' || config.broker.kind !== 'rabbitmq') return openBroker(config, log, clock)
  const { openSpoolingBroker } = await import('./broker/spool/broker.js')
  const opened: Broker[] = []
  try {
    const local = await openOutbox(config, log, clock)
    opened.push(local)
    const remote = await openBroker(config, log, clock, { whenAway: 'reject', waitForConnection: false })
    opened.push(remote)
    return await openSpoolingBroker({ remote, local, turnFile: outboxFile(config, 'outbox-turn'), limit: config.outboxLimit, clock, log })
  } catch (error) {
    for (const broker of opened) await broker.close()
    throw error
  }
}

/** The embedded broker that keeps calls while RabbitMQ is away. Environments are kept apart: their messages go to other brokers. */
async function openOutbox(config: Config, log: Logger, clock: Clock): Promise<Broker> {
  const { openSqliteBroker } = await import('./broker/sqlite/open.js')
  return openSqliteBroker({ file: outboxFile(config, 'outbox'), namespace: `${config.service}:${config.environment}`, clock, log })
}

const outboxFile = (config: Config, name: string): string => join(config.dataDir, `${name}.sqlite`)

/** How many calls the outbox of this host keeps, and how many of them can never be sent; `undefined` where there is none. */
export async function countOutbox(config: Config, log: Logger): Promise<QueueCount | undefined> {
  if (!existsSync(outboxFile(config, 'outbox'))) return undefined
  await using outbox = await openOutbox(config, log, systemClock)
  const { OUTBOX } = await import('./broker/spool/spooled.js')
  return await outbox.count(OUTBOX)
}

/** What a broker in another place is opened with for an outbox. */
interface Away {
  readonly whenAway: 'reject'
  readonly waitForConnection: false
}

/** Opens the configured broker; only the driver that is needed is loaded. */
export async function openBroker(config: Config, log: Logger, clock: Clock = systemClock, away?: Away): Promise<Broker> {
  const { broker, service } = config
  switch (broker.kind) {
    case 'sqlite': {
      const { openSqliteBroker } = await import('./broker/sqlite/open.js')
      const { file, durability } = broker
      return openSqliteBroker({ file, durability, namespace: service, clock, log })
    }
    case 'rabbitmq': {
      const { openRabbitBroker } = await import('./broker/rabbitmq/broker.js')
      const { kind: _kind, ...options } = broker
      return openRabbitBroker({ ...options, ...away, clock, log })
    }
    case 'memory': {
      const { openMemoryBroker } = await import('./broker/memory/broker.js')
      return openMemoryBroker({ clock })
    }
    default:
      return assertNever(broker)
  }
}
