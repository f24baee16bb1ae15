import { Command } from 'commander'
import type { Config } from '../../config/config.js'
import type { LeaderStatus } from '../../worker/supervisor/election.js'
import { queryLeader } from '../../worker/supervisor/election.js'
import type { ConfigOptions } from './config-options.js'
import { configOf, takingConfig } from './config-options.js'
import type { Outcome } from './worker-set.js'
import { CLOSING_MS, conclude, done, failed, findSet, isAlive, nameOf, pidsOf, send, within } from './worker-set.js'

/** For loading the services. */
const LOADING_MS = 60_000

/** `errand restart` */
export const restartCommand = (): Command =>
  takingConfig(new Command('restart'))
    .description('replace the workers of this host: they end their tasks, hand the rest back, and new ones take over')
    .action(async (options: ConfigOptions) => {
      const config = await configOf(options)
      const found = await findSet(config)
      conclude('isDone' in found ? found : await replaceAll(config, found))
    })

async function replaceAll(config: Config, set: LeaderStatus): Promise<Outcome> {
  const old = pidsOf(set)
  if (old.length === 0) {
    const what = `The workers of ${nameOf(config)} do not run: they died, or have not been started yet.`
    return failed(`${what} See the log of process ${set.pid}, which runs them, and restart that.`)
  }
  for (const pid of old) send('SIGTERM', pid)
  const patienceMs = config.worker.graceMs + CLOSING_MS
  const areGone = await within(patienceMs, async () => !old.some(isAlive) || undefined)
  // code that never yields hears no signal but this
  if (areGone === undefined) for (const pid of old.filter(isAlive)) send('SIGKILL', pid)
  const outcome = await within(LOADING_MS, () => lookForNew(config, set, old))
  const late = `The workers of ${nameOf(config)} ended, but no new ones consume yet; \`errand status\` tells when they do.`
  return outcome ?? failed(late)
}

/** How it ended, or `undefined` while it goes on. */
async function lookForNew(config: Config, { pid: server }: LeaderStatus, old: readonly number[]): Promise<Outcome | undefined> {
  const now = await queryLeader(config)
  if (now?.pid !== server && !isAlive(server)) {
    return failed(`Process ${server}, which ran the workers of ${nameOf(config)}, ended meanwhile.`)
  }
  if (now === undefined) return undefined
  if (now.workers.some(({ state }) => state === 'stopped')) {
    return failed(`The new workers of ${nameOf(config)} do not start. The log of process ${server} says why.`)
  }
  const current = pidsOf(now)
  const areNew = now.workers.every(({ state }) => state === 'running') && !current.some((pid) => old.includes(pid))
  return areNew ? done(describe(config, old, current)) : undefined
}

function describe(config: Config, old: readonly number[], current: readonly number[]): string {
  const [what, processes] = current.length === 1 ? ['worker', 'process'] : [`${current.length} workers`, 'processes']
  const were = current.length === 1 ? 'was' : 'were'
  return `The ${what} of ${nameOf(config)} ${were} replaced: ${processes} ${current.join(', ')} instead of ${old.join(', ')}.`
}
