import { Command } from 'commander'
import type { Config } from '../../config/config.js'
import type { LeaderStatus } from '../../worker/supervisor/election.js'
import { queryLeader } from '../../worker/supervisor/election.js'
import type { QueueCount } from '../broker/broker.js'
import { openBroker } from '../compose/broker.js'
import { countOutbox } from '../compose/outbox.js'
import { silentLogger } from '../core/logger.js'
import { ErrandError } from '../errors.js'
import type { ConfigOptions } from './config-options.js'
import { configOf, takingConfig } from './config-options.js'

interface Status {
  readonly service: string
  readonly environment: string
  readonly workers: LeaderStatus['workers']
  /** Process id of the server that runs the workers. */
  readonly server: number | undefined
  readonly queues: readonly ({ readonly queue: string } & QueueCount)[]
  /** Calls kept on this host because RabbitMQ was away, and those of them that can never be sent. */
  readonly outbox?: QueueCount
  /** Why the broker cannot be asked. */
  readonly away?: string
}

/** `errand status` */
export const statusCommand = (): Command =>
  takingConfig(new Command('status'))
    .description('say whether a worker of this host is consuming, and what waits')
    .option('--json', 'as JSON')
    .action(async ({ json = false, ...options }: ConfigOptions & { readonly json?: boolean }) => {
      const config = await configOf(options)
      const status = await statusOf(config)
      console.log(json ? JSON.stringify(status, null, 2) : inWords(config, status))
    })

async function statusOf(config: Config): Promise<Status> {
  const leader = await queryLeader(config)
  const { service, environment } = config
  const ofHost = { service, environment, workers: leader?.workers ?? [], server: leader?.pid }
  // nobody else sees into the queues of another process
  if (!config.withAsync || config.broker.kind === 'memory') return { ...ofHost, queues: [] }
  if (config.whenBrokerAway === 'reject') return { ...ofHost, queues: await queuesOf(config) }
  const outbox = (await countOutbox(config, silentLogger)) ?? { waiting: 0, dead: 0 }
  return { ...ofHost, ...(await queuesOrWhyNot(config)), outbox }
}

/** The outbox is asked for when the broker is away: that must be no failure then. */
async function queuesOrWhyNot(config: Config): Promise<Pick<Status, 'queues' | 'away'>> {
  try {
    return { queues: await queuesOf(config) }
  } catch (error) {
    if (error instanceof ErrandError && error.code === 'BROKER_UNREACHABLE') return { queues: [], away: error.message }
    throw error
  }
}

async function queuesOf(config: Config): Promise<Status['queues']> {
  await using broker = await openBroker(config, silentLogger)
  const counts: Status['queues'][number][] = []
  for (const queue of config.worker.queues) counts.push({ queue, ...(await broker.count(queue)) })
  return counts
}

function inWords(config: Config, { service, environment, server, workers, queues, outbox, away }: Status): string {
  const lines = [`${service} (${environment})`, `  worker: ${workerLine(config, server, workers)}`]
  for (const { queue, waiting, dead } of queues) lines.push(`  queue ${queue}: ${waiting} waiting, ${dead} dead`)
  if (queues.some(({ dead }) => dead > 0)) lines.push('  `errand dead` lists the dead letters.')
  if (away !== undefined) lines.push(`  broker: away. ${away}`)
  if (outbox !== undefined) lines.push(`  outbox: ${outbox.waiting} waiting for RabbitMQ${outbox.dead > 0 ? `, ${outbox.dead} dead` : ''}`)
  return lines.join('\n')
}

/** One line on the workers of this host. */
export function workerLine(config: Config, server: number | undefined, workers: LeaderStatus['workers']): string {
  if (!config.withAsync) return 'none, because withAsync is false'
  const running = workers.filter(({ state }) => state === 'running')
  if (running.length > 0) {
    const processes = running.map(({ pid }) => `process ${pid ?? '?'}`).join(', ')
    return `${running.length} consuming (${processes}), run by process ${server ?? '?'}`
  }
  if (workers.length > 0) return `none consuming: ${workers.map(({ state }) => state).join(', ')}`
  return 'no server of this host runs one (those of `errand worker` without --keep-alive are not seen from here)'
}
