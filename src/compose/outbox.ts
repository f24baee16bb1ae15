import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../../config/config.js'
import type { Broker, QueueCount } from '../broker/broker.js'
import { systemClock, type Clock } from '../core/clock.js'
import type { Logger } from '../core/logger.js'
import { openBroker } from './broker.js'

/** Opens the configured broker, with the outbox in front where one is asked for: then it need not be there. */
export async function openWithOutbox(config: Config, log: Logger, clock: Clock): Promise<Broker> {
  if (config.whenBrokerAway !== 'spool' || config.broker.kind !== 'rabbitmq') return openBroker(config, log, clock)
  const { openSpoolingBroker } = await import('../broker/spool/broker.js')
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

/** How many calls the outbox of this host keeps, and how many of them can never be sent; `undefined` where there is none. */
export async function countOutbox(config: Config, log: Logger): Promise<QueueCount | undefined> {
  if (!existsSync(outboxFile(config, 'outbox'))) return undefined
  await using outbox = await openOutbox(config, log, systemClock)
  const { OUTBOX } = await import('../broker/spool/spooled.js')
  return await outbox.count(OUTBOX)
}

/** The embedded broker that keeps calls while RabbitMQ is away. Environments are kept apart: their messages go to other brokers. */
async function openOutbox(config: Config, log: Logger, clock: Clock): Promise<Broker> {
  const { openSqliteBroker } = await import('../broker/sqlite/open.js')
  return openSqliteBroker({ file: outboxFile(config, 'outbox'), namespace: `${config.service}:${config.environment}`, clock, log })
}

const outboxFile = (config: Config, name: string): string => join(config.dataDir, `${name}.sqlite`)
