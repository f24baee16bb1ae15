import { Command, Option } from 'commander'
import type { ConfigInput } from '../../config/load.js'
import { runWorker } from '../../worker/index.js'
import { show } from '../core/options.js'
import { ErrandError } from '../errors.js'
import type { ConfigOptions } from './config-options.js'
import { takingConfig } from './config-options.js'
import { onStopSignals } from './signals.js'
import { runSupervised } from './supervised.js'

interface WorkerOptions extends ConfigOptions {
  readonly concurrency?: number
  readonly maxmem?: number
  readonly level?: (typeof LEVELS)[number]
  readonly keepAlive?: boolean
}

const LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const

/** `errand worker` */
export const workerCommand = (): Command =>
  takingConfig(new Command('worker'))
    .description('run a worker: it takes tasks until SIGTERM or SIGINT, ends what runs, and exits with 0')
    .option(
      '--concurrency <n>',
      'tasks it runs at once (default: worker.concurrency, else twice the CPUs, at least 2)',
      wholeNumber('--concurrency'),
    )
    .option(
      '--maxmem <mb>',
      'megabytes of memory above which it ends its tasks and exits with 75 (default: worker.maxMemory, else no limit)',
      wholeNumber('--maxmem'),
    )
    .addOption(new Option('--level <level>', 'what it logs (default: worker.logLevel, else info)').choices(LEVELS))
    .option('--keep-alive', 'run worker.processes workers and start again those that die')
    .action(async ({ keepAlive = false, ...options }: WorkerOptions) => {
      process.exitCode = await (keepAlive ? runSupervised(options, overridesOf(options)) : run(options))
    })

async function run(options: WorkerOptions): Promise<number> {
  const { config, env } = options
  const leaving = new AbortController()
  const starting = runWorker({ ...overridesOf(options), config, env, signal: leaving.signal })
  // from the start: tasks may run before all of it is up. A start that fails is told below
  const forget = onStopSignals(() => {
    leaving.abort()
    return starting.then((worker) => worker.stop()).catch(() => {})
  })
  try {
    const worker = await starting
    // a body that went on in spite of everything would hold the process, and runs elsewhere by now
    return process.exit(await worker.stopped)
  } catch (error) {
    // asked to go while it waited for its broker
    if (leaving.signal.aborted && error === leaving.signal.reason) return 0
    throw error
  } finally {
    forget()
  }
}

const overridesOf = ({ concurrency, maxmem, level }: WorkerOptions): ConfigInput => ({
  worker: { concurrency, maxMemory: maxmem, logLevel: level },
})

const wholeNumber =
  (option: string) =>
  (text: string): number => {
    if (/^\d{1,9}$/.test(text)) return Number(text)
    throw new ErrandError('OPTION_INVALID', `errand worker ${option} must be a whole number, got ${show(text)}.`)
  }
