import { loadKeys } from '../config/keys.js'
import type { Config } from '../config/config.js'
import type { Broker } from './broker/broker.js'
import { systemClock, type Clock } from './core/clock.js'
import type { Logger } from './core/logger.js'
import { createMessages } from './core/message.js'
import { outside } from './core/outside.js'
import type { ErrorReporter } from './core/report.js'
import { parseKeyRing } from './core/seal/key-ring.js'
import { assertNever } from './errors.js'
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
  /** Closes the broker. Safe twice. */
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
  const broker = extras.broker ?? (await outside(() => openBroker(config, extras.log, clock)))
  return {
    settings: config,
    broker,
    messages,
    clock,
    log: extras.log,
    report: extras.report ?? (() => {}),
    close: () => broker.close(),
  }
}

/** Opens the configured broker; only the driver that is needed is loaded. */
export async function openBroker(config: Config, log: Logger, clock: Clock = systemClock): Promise<Broker> {
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
      return openRabbitBroker({ ...options, clock, log })
    }
    case 'memory': {
      const { openMemoryBroker } = await import('./broker/memory/broker.js')
      return openMemoryBroker({ clock })
    }
    default:
      return assertNever(broker)
  }
}
