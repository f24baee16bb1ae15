import { Command } from 'commander'
import type { Config } from '../../config/config.js'
import { systemClock } from '../core/clock.js'
import { isTerminal } from '../core/lifecycle.js'
import { silentLogger } from '../core/logger.js'
import { cancelFound, cancelTask, type CancelOptions, type CancelResult, type CancelSearch } from '../runtime/cancellation/cancel.js'
import { Tracking } from '../runtime/tracking/tracking.js'
import { configOf, takingConfig, type ConfigOptions } from './config-options.js'
import { withStore } from './tasks.js'
import { conclude, done, failed, type Outcome } from './worker-set.js'

interface Options extends ConfigOptions {
  readonly task?: string
  readonly queue?: string
  readonly owner?: string
  readonly tag?: string
  readonly reason?: string
  readonly by?: string
  readonly children: boolean
  readonly dryRun?: boolean
}

/** What is asked for. */
interface Wish {
  readonly ids: readonly string[]
  readonly search: CancelSearch
  readonly options: CancelOptions
  readonly dryRun: boolean
}

const WRONG_USE = 2

/** `errand cancel` */
export const cancelCommand = (): Command =>
  takingConfig(new Command('cancel'))
    .description('cancel tasks: those that wait never run, those that run are told to end')
    .showHelpAfterError('(--help tells what there is)')
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : WRONG_USE))
    .argument('[ids...]', 'ids of tasks; or choose by the options:')
    .option('--task <name>', 'all of this task that have not ended')
    .option('--queue <name>', 'all of this queue')
    .option('--owner <id>', 'all of this user')
    .option('--tag <tag>', 'all with this tag')
    .option('--reason <text>', 'why, for people')
    .option('--by <name>', 'who cancels, for people')
    .option('--no-children', 'leave the calls alone that they made')
    .option('--dry-run', 'only say how many')
    .action(async (ids: string[], given: Options, command: Command) => {
      const { task, queue, owner, tag, reason, by, children, dryRun = false, ...config } = given
      const search = { task, queue, owner, tag }
      const ways = [ids.length > 0, Object.values(search).some((value) => value !== undefined)].filter(Boolean).length
      if (ways !== 1) command.error('error: give ids, or options such as --task, and not both.', { exitCode: WRONG_USE })
      const wish = { ids, search, dryRun, options: { reason, by, children } }
      for (const outcome of await carryOut(await configOf(config), wish)) conclude(outcome)
    })

async function carryOut(config: Config, wish: Wish): Promise<Outcome[]> {
  return withStore(config, async (store) => {
    const tracking = new Tracking({ store, settings: config, clock: systemClock, log: silentLogger })
    if (wish.ids.length === 0) return [await cancelSearched(tracking, wish)]
    const outcomes: Outcome[] = []
    for (const id of new Set(wish.ids)) outcomes.push(wish.dryRun ? await lookAt(tracking, id) : said(await cancelTask(tracking, id, wish.options)))
    return outcomes
  })
}

async function cancelSearched(tracking: Tracking, { search, options, dryRun }: Wish): Promise<Outcome> {
  const { cancelled, children } = await cancelFound(tracking, search, { ...options, dryRun })
  if (dryRun) return done(`${tasksIn(cancelled)} would be cancelled.`)
  return done(`Cancelled ${tasksIn(cancelled)}${withChildren(children)}.`)
}

async function lookAt({ store }: Tracking, id: string): Promise<Outcome> {
  const { state = 'unknown' } = (await store.find({ id })) ?? {}
  return state === 'unknown' || isTerminal(state) ? said({ id, state, isCancelled: false, children: 0 }) : done(`${id} would be cancelled; it is ${state}.`)
}

function said({ id, state, isCancelled, children }: CancelResult): Outcome {
  if (isCancelled) return done(`Cancelled ${id}${withChildren(children)}.`)
  if (state === 'unknown') return failed(`nothing is known of the task "${id}".`)
  return failed(`${id} was ${state} before${withChildren(children)}.`)
}

const tasksIn = (count: number): string => (count === 1 ? '1 task' : `${count} tasks`)
const withChildren = (count: number): string => (count === 0 ? '' : ` and ${count === 1 ? '1 call' : `${count} calls`} made there`)
