import type { Config } from '../../config/config.js'
import type { Broker } from '../broker/broker.js'
import type { SqliteBroker } from '../broker/sqlite/broker.js'
import { systemClock, type Clock } from '../core/clock.js'
import type { Logger } from '../core/logger.js'
import { assertNever } from '../errors.js'
import type { Room } from '../sqlite/room.js'

/** What a broker in another place is opened with for an outbox. */
export interface Away {
  readonly whenAway: 'reject'
  readonly waitForConnection: false
}

/** Opens the configured broker; only the driver that is needed is loaded. */
export async function openBroker(config: Config, log: Logger, clock: Clock = systemClock, away?: Away): Promise<Broker> {
  const { broker } = config
  switch (broker.kind) {
    case 'sqlite':
      return openEmbeddedBroker(config, broker.file, { log, clock })
    case 'rabbitmq': {
      const { openRabbitBroker } = await import('../broker/rabbitmq/broker.js')
      const { kind: _kind, ...options } = broker
      return openRabbitBroker({ ...options, ...away, clock, log })
    }
    case 'memory': {
      const { openMemoryBroker } = await import('../broker/memory/broker.js')
      return openMemoryBroker({ clock })
    }
    default:
      return assertNever(broker)
  }
}

/** Opens the embedded broker in its file, or in a room that has it open. */
export async function openEmbeddedBroker(
  { broker, service }: Config,
  file: string | Room,
  using: { readonly log: Logger; readonly clock: Clock },
): Promise<SqliteBroker> {
  const { openSqliteBroker } = await import('../broker/sqlite/open.js')
  const durability = broker.kind === 'sqlite' ? broker.durability : undefined
  return openSqliteBroker({ file, durability, namespace: service, ...using })
}
