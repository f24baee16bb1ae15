import type { Config } from '../../config/config.js'
import type { Locks } from '../broker/locks.js'
import { systemClock, type Clock } from '../core/clock.js'
import type { Logger } from '../core/logger.js'
import { assertNever, ErrandError } from '../errors.js'

/** Most processes run nothing that is limited, so names are only opened when one is wanted. */
export class LazyLocks {
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
      const { openSqliteLocks } = await import('../broker/sqlite/locks.js')
      return openSqliteLocks({ file: broker.file, namespace: service, clock, log })
    }
    case 'rabbitmq': {
      const { openRabbitLocks } = await import('../broker/rabbitmq/locks.js')
      const { kind: _kind, ...options } = broker
      return openRabbitLocks({ ...options, clock, log })
    }
    case 'memory': {
      const { openMemoryLocks } = await import('../broker/memory/locks.js')
      return openMemoryLocks()
    }
    default:
      return assertNever(broker)
  }
}
