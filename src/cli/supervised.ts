import type { ConfigInput } from '../../config/load.js'
import { startSupervisor } from '../../worker/supervisor.js'
import { lineLogger } from '../runtime/default-logger.js'
import type { ConfigOptions } from './config-options.js'
import { configOf } from './config-options.js'
import { onStopSignals } from './signals.js'

/** Runs the workers of this host in processes of their own until a signal comes; 1 when they keep dying. */
export async function runSupervised(options: ConfigOptions, overrides: ConfigInput): Promise<number> {
  const config = await configOf(options, { ...overrides, worker: { ...overrides.worker, keepAlive: true } })
  const log = lineLogger('errand', config.worker.logLevel, process.stderr)
  // a supervisor does not keep its process alive: a server has reasons of its own to stay, this process has none
  const hold = setInterval(() => {}, 2 ** 30)
  try {
    return await new Promise<number>((resolve, reject) => {
      const supervisor = startSupervisor({
        config,
        leader: 'command',
        modules: () => [],
        log,
        report: ({ data }) => void (data.fatal && resolve(1)),
      })
      onStopSignals(() => supervisor.stop().then(() => resolve(0), reject))
    })
  } finally {
    clearInterval(hold)
  }
}
