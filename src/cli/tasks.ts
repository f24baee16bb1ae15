import { Command } from 'commander'
import type { Config } from '../../config/config.js'
import { openStore } from '../compose/store.js'
import { TASK_STATES, type TaskState } from '../core/lifecycle.js'
import { silentLogger } from '../core/logger.js'
import { ErrandError } from '../errors.js'
import { isClaim } from '../runtime/tracking/copies.js'
import { statusOf } from '../runtime/tracking/status.js'
import type { Page, Search, Store } from '../store/store.js'
import { configOf, takingConfig, type ConfigOptions } from './config-options.js'
import { countOf, momentOf, refuse } from './dead-options.js'
import { tableOf } from './tasks-text.js'

interface TasksOptions extends ConfigOptions {
  readonly state?: string
  readonly task?: string
  readonly queue?: string
  readonly owner?: string
  readonly tenant?: string
  readonly key?: string
  readonly tag?: string
  readonly text?: string
  readonly since?: string
  readonly until?: string
  readonly limit: string
  readonly after?: string
  readonly json?: boolean
}

/** `errand tasks` */
export const tasksCommand = (): Command =>
  takingConfig(new Command('tasks'))
    .description('list tasks, and how they stand')
    .option('--state <states>', `only those in these states: ${TASK_STATES.slice(1).join(', ')}; several with commas`)
    .option('--task <name>', 'only those of this task')
    .option('--queue <name>', 'only those of this queue')
    .option('--owner <id>', 'only those of this user')
    .option('--tenant <name>', 'only those of this tenant')
    .option('--key <key>', 'only those called with this key')
    .option('--tag <tag>', 'only those with this tag')
    .option('--text <text>', 'only those in which this text stands: id, task, key, owner, tags, error')
    .option('--since <time>', 'only those called since then: 30m, 2h, 7d ago, or a date')
    .option('--until <time>', 'only those called before then')
    .option('--limit <n>', 'so many at most', '20')
    .option('--after <place>', 'go on behind the page that ended there')
    .option('--json', 'as JSON')
    .action(async (options: TasksOptions, command: Command) => {
      const search = searchOf(command, options)
      const found = await withStore(await configOf(options), (store) => store.search(search))
      const page = { ...found, records: found.records.filter((record) => !isClaim(record)) }
      if (options.json === true) console.log(JSON.stringify({ tasks: page.records.map((record) => statusOf(record.id, record)), next: page.next }, null, 2))
      else console.log(listText(page))
    })

/** Opens the configured store for as long as `work` takes. */
export async function withStore<T>(config: Config, work: (store: Store) => Promise<T>): Promise<T> {
  await using store = config.store.kind === 'memory' ? undefined : await openStore(config, silentLogger)
  if (store !== undefined) return await work(store)
  const why = config.store.kind === 'off' ? '"store: off" keeps nothing' : 'with "store: memory" it lies inside the process that called start()'
  throw new ErrandError('CALL_INVALID', `Cannot tell how tasks stand: ${why}. Configure "store: sqlite" or a PostgreSQL URL.`)
}

function searchOf(command: Command, options: TasksOptions): Search {
  const { state, task, queue, owner, tenant, key, tag, text, since, until, limit, after } = options
  return {
    states: state === undefined ? undefined : statesOf(command, state),
    task,
    queue,
    owner,
    tenant,
    key,
    tag,
    text,
    after,
    from: momentOf(command, '--since', since)?.getTime(),
    to: momentOf(command, '--until', until)?.getTime(),
    limit: countOf(command, '--limit', limit),
  }
}

function statesOf(command: Command, given: string): TaskState[] {
  return given.split(',').map((name) => {
    const state = TASK_STATES.find((known) => known === name.trim())
    return state ?? refuse(command, `there is no state "${name}": ${TASK_STATES.join(', ')}.`)
  })
}

function listText({ records, next }: Page): string {
  if (records.length === 0) return 'No tasks.'
  const more = next === undefined ? [] : [`More of them: errand tasks --after ${next}`]
  const tasks = records.map((record) => statusOf(record.id, record))
  return [tableOf(tasks, Date.now(), process.stdout.columns), '', ...more, '`errand show <id>` tells all about one.'].join('\n')
}
