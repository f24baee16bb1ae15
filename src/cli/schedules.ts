import { Command } from 'commander'
import type { Config } from '../../config/config.js'
import { loadContainer } from '../../worker/load-container.js'
import { loadService } from '../../worker/load-service.js'
import { ModuleLoader, type LoadModule } from '../../worker/module-loader.js'
import { silentLogger } from '../core/logger.js'
import { ErrandError } from '../errors.js'
import { markWorkerProcess } from '../runtime/process-role.js'
import type { Schedule } from '../runtime/schedule/list.js'
import { schedulesIn } from '../schedules.js'
import type { ConfigOptions } from './config-options.js'
import { configOf, takingConfig } from './config-options.js'

/** `errand schedules` */
export const schedulesCommand = (): Command =>
  takingConfig(new Command('schedules'))
    .description('list what runs by itself, when it runs next and when it was due last')
    .option('--json', 'as JSON')
    .action(async ({ json = false, ...options }: ConfigOptions & { readonly json?: boolean }) => {
      const config = await configOf(options)
      refuseWithoutTasks(config)
      const close = await loadTasks(config)
      const found = await schedulesIn(config)
      console.log(json ? JSON.stringify(found, null, 2) : tableOf(found))
      await close()
      // modules of services may hold what would keep this process
      process.exit()
    })

/** Schedules stand at tasks, so their modules are loaded as a worker loads them. */
async function loadTasks(config: Config): Promise<() => unknown> {
  markWorkerProcess()
  const loader = new ModuleLoader(silentLogger)
  const load: LoadModule = (url, role) => loader.load(url, role)
  const container = await loadContainer(config, load)
  await loadService(config, [], load)
  return async () => container?.close?.()
}

function refuseWithoutTasks({ withAsync, services, container }: Config): void {
  if (!withAsync) throw new ErrandError('CALL_INVALID', 'Nothing is scheduled with "withAsync: false". Set it to true in async.config.yaml.')
  if (services.length > 0 || container !== undefined) return
  throw new ErrandError(
    'CALL_INVALID',
    'Cannot list the schedules: they stand at the tasks, and the configuration names no "services". ' +
      'Set "services: [./services/*.ts]", or call schedules.list() in the server.',
  )
}

function tableOf(found: readonly Schedule[]): string {
  if (found.length === 0) return 'No schedules.'
  const rows = found.map(({ name, task, when, next, last }) => [name, task, when, timeOf(next), timeOf(last)])
  const table = [['NAME', 'TASK', 'WHEN', 'NEXT', 'LAST'], ...rows]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => (row[column] ?? '').length)))
  return table.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')).join('\n')
}

const timeOf = (time: Date | undefined): string => time?.toISOString().replace('.000Z', 'Z') ?? '-'
