import { loadConfig } from '../config/load.js'
import type { ConfigInput } from '../config/schema.js'
import type { Logger } from '../src/core/logger.js'
import { ErrandError } from '../src/errors.js'
import { openWorker, type RunningWorker } from './running-worker.js'
import { workerLog } from './worker-log.js'

export type { Container } from './load-container.js'
export type { RunningWorker } from './running-worker.js'

/** Keys of the configuration, which win over the file, and what only a program can hand over. */
export interface RunWorkerOptions extends ConfigInput {
  /** The configuration file to read. @defaultValue `async.config.yaml`, searched from the current folder up */
  readonly config?: string | undefined
  /** Name of the environment: it picks `async.config.<env>.yaml`. @defaultValue `ERRAND_ENV`, `NODE_ENV`, `development` */
  readonly env?: string | undefined
  /**
   * URLs of modules with tasks, for a configuration without `services`: `[import.meta.resolve('./mail.js')]`. They are imported
   * here, in order.
   */
  readonly modules?: readonly string[] | undefined
  /** Aborted, it ends the wait for a broker that cannot be reached: the start rejects with its reason. @defaultValue waits on */
  readonly signal?: AbortSignal | undefined
  /** Where the worker says what it does. @defaultValue marked lines on standard output, from `worker.logLevel` up */
  readonly logger?: Logger | undefined
}

/**
 * Runs a worker inside this process: loads the services, consumes the queues, runs the tasks. For process managers and containers,
 * together with `worker.spawn: false` in the configuration of the server. It installs no signal handlers and never exits the
 * process, and it keeps the process alive until it is stopped. While the modules load, they open no ports (unless `worker.listen`).
 *
 * `withAsync` is not asked: whoever runs a worker wants one. A broker that cannot be reached is waited for, however long it takes.
 * @throws ErrandError `SERVICE_LOAD_FAILED` when a module cannot be loaded, `CONFIG_INVALID`, `CONFIG_NOT_FOUND`, `KEY_MISSING`,
 * `BROKER_REFUSED`, `PACKAGE_MISSING`
 * @example
 * const worker = await runWorker()
 * process.once('SIGTERM', () => worker.stop())
 * process.exit(await worker.stopped) // a body that nothing can end does not hold the process
 */
export async function runWorker(options: RunWorkerOptions = {}): Promise<RunningWorker> {
  const { config: file, env, modules = [], signal, logger, ...overrides } = options
  const config = await loadConfig({ file, env, overrides })
  if (config.broker.kind === 'memory') throw noSharedBroker()
  const log = logger ?? workerLog(config.worker.logLevel, (line) => process.stdout.write(line))
  const guardPorts = config.worker.listen ? 'never' : 'loading'
  return openWorker({ config, modules, log, guardPorts, callsWhileLoading: 'sent', signal })
}

function noSharedBroker(): ErrandError {
  return new ErrandError(
    'CONFIG_INVALID',
    'A worker cannot share "broker: memory" with another process: it lives inside one. Use "broker: sqlite" or an amqp:// URL.',
  )
}
