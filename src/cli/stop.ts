import { Command } from 'commander'
import type { Config } from '../../config/config.js'
import type { LeaderStatus } from '../../worker/supervisor/election.js'
import { queryLeader } from '../../worker/supervisor/election.js'
import type { ConfigOptions } from './config-options.js'
import { configOf, takingConfig } from './config-options.js'
import type { Outcome } from './worker-set.js'
import { CLOSING_MS, conclude, done, failed, findSet, nameOf, send, within } from './worker-set.js'

/** Processes that stand by take over well within this time. */
const TAKE_OVER_MS = 500

/** `errand stop` */
export const stopCommand = (): Command =>
  takingConfig(new Command('stop'))
    .description('end what `errand worker --keep-alive` runs on this host')
    .action(async (options: ConfigOptions) => {
      const config = await configOf(options)
      const found = await findSet(config)
      conclude('isDone' in found ? found : await stop(config, found))
    })

async function stop(config: Config, { pid, leader }: LeaderStatus): Promise<Outcome> {
  const workers = `the workers of ${nameOf(config)}`
  if (leader === 'server') {
    return failed(`A server runs ${workers}, process ${pid}: they stop with it, or with stop() of what its start() answered.`)
  }
  send('SIGTERM', pid)
  // it waits for its workers, and kills those that take longer than they may
  const patienceMs = config.worker.graceMs + 2 * CLOSING_MS
  const hasLeft = await within(patienceMs, async () => (await queryLeader(config))?.pid !== pid || undefined)
  if (hasLeft === undefined) return failed(`Process ${pid} was told to stop ${workers}, and still runs them.`)
  const next = await within(TAKE_OVER_MS, () => queryLeader(config))
  if (next === undefined) return done(`Process ${pid} stopped ${workers}, and itself.`)
  return failed(`Process ${pid} and its workers stopped; process ${next.pid}, which stood by, runs ${workers} now.`)
}
