import type { Config } from '../config/config.js'
import { loadConfig } from '../config/load.js'
import type { ConfigInput } from '../config/schema.js'
import { startSupervisor, type Supervisor } from '../worker/supervisor.js'
import { compose, type Composed } from './compose.js'
import { openConfiguredRelay } from './compose/transactions.js'
import { setErrorStacks } from './core/codec/error-stacks.js'
import { setContextSettings } from './core/context-settings.js'
import type { Logger } from './core/logger.js'
import type { ErrorReporter } from './core/report.js'
import { processState } from './core/process-state.js'
import { registry } from './core/registry.js'
import { ErrandError } from './errors.js'
import { declareBuiltInTasks } from './orders/built-in-tasks.js'
import { appState, setAppState, setWorkersLost } from './runtime/app.js'
import { lineLogger } from './runtime/default-logger.js'
import { emit } from './runtime/events.js'
import { isWorkerProcess } from './runtime/process-role.js'
import { Replies } from './runtime/replies.js'
import { useConfiguredCarriers } from './use-carriers.js'

/** Keys of the configuration, which win over the file, and what only a program can hand over. */
export interface StartOptions extends ConfigInput {
  /** The configuration file to read. @defaultValue `async.config.yaml`, searched from the current folder up */
  readonly config?: string | undefined
  /** Name of the environment: it picks `async.config.<env>.yaml`. @defaultValue `ERRAND_ENV`, `NODE_ENV`, `development` */
  readonly env?: string | undefined
  /** Where the library says what it does. @defaultValue warnings and errors on standard error */
  readonly logger?: Logger | undefined
  /** Called when the worker set fails for good. Failures of tasks are reported in the worker: see the `errorReporter` key. */
  readonly onFailure?: ErrorReporter | undefined
}

/** What `start()` opened. */
export interface Running {
  /** The configuration in force. */
  readonly config: Config
  /** Resolves when the worker set of this host is consuming; at once where none is spawned. */
  readonly ready: Promise<void>
  /** Stops the worker set within its grace period, then closes the broker. Tasks that had not ended run again later. Safe twice. */
  stop(): Promise<void>
}

/**
 * Reads `async.config.yaml` and makes calls of tasks durable: opens the broker and, with `withAsync: true`, spawns and supervises
 * the worker. With `withAsync: false`, or without a file, nothing is opened and bodies run here. Inside a worker it does nothing.
 *
 * A call of a task made before it, or without it, starts by the same file; `start()` without options then answers what runs already.
 * @throws ErrandError `CONFIG_INVALID`, `CONFIG_NOT_FOUND`, `KEY_MISSING`, `BROKER_UNREACHABLE`, `BROKER_REFUSED`, `PACKAGE_MISSING`,
 * `DATABASE_REFUSED`;
 * `CALL_INVALID` when it runs already and other options are given
 * @example
 * await start()
 * app.listen(3000)
 */
export async function start(options: StartOptions = {}): Promise<Running> {
  if (isWorkerProcess()) return IN_A_WORKER
  const { kind } = appState()
  if (kind !== 'on' && kind !== 'starting') return begin(options)
  if (current.running !== undefined && Object.keys(options).length === 0) return current.running
  throw new ErrandError('CALL_INVALID', 'start() with options was called although errand runs in this process already. Call stop() on what start() answers first.')
}

const current = processState('running', () => ({ running: undefined as Promise<Running> | undefined }))

function begin(options: StartOptions): Promise<Running> {
  const running = open(options)
  current.running = running
  running.catch(() => setAppState({ kind: 'idle' }))
  const ready = running.then(() => {})
  // whoever waits for the start hears of a failure; nobody waiting is no failure of its own
  ready.catch(() => {})
  setAppState({ kind: 'starting', ready })
  return running
}

async function open({ config: file, env, logger, onFailure, ...overrides }: StartOptions): Promise<Running> {
  const config = await loadConfig({ file, env, overrides })
  setContextSettings(config)
  setErrorStacks(config.errorStacks)
  if (!config.withAsync) {
    setAppState({ kind: 'off' })
    return { config, ready: Promise.resolve(), stop: async () => setAppState({ kind: 'stopped' }) }
  }
  const log = logger ?? lineLogger('errand', 'warn', process.stderr)
  await useConfiguredCarriers(config)
  const runtime = await compose(config, { log, report: onFailure })
  const relay = await openRelay(config, runtime)
  declareBuiltInTasks()
  const replies = new Replies(runtime.broker, runtime.messages, log)
  setAppState({ kind: 'on', runtime, replies })
  const supervisor = config.worker.spawn ? spawnWorkers(config, runtime) : undefined
  return { config, ready: supervisor?.ready ?? Promise.resolve(), stop: once(() => stop({ runtime, replies, relay, supervisor })) }
}

/** What was opened before is closed again where the database refuses. */
async function openRelay(config: Config, runtime: Composed): Promise<Relay> {
  try {
    return await openConfiguredRelay(config, runtime)
  } catch (error) {
    await runtime.close()
    throw error
  }
}

function spawnWorkers(config: Config, runtime: Composed): Supervisor {
  const { log, report, clock } = runtime
  // workers of other hosts may still run what is sent
  const onLost = runtime.broker.features.crossHost ? undefined : setWorkersLost
  const onDied = (pid: number, why: string): void => emit(log, 'worker.died', { pid, why, at: clock.now() })
  return startSupervisor({ config, modules: () => registry.modules(), log, report, clock, onLost, onDied })
}

type Relay = Awaited<ReturnType<typeof openConfiguredRelay>>

interface Opened {
  readonly runtime: Composed
  readonly replies: Replies
  readonly relay: Relay
  readonly supervisor: Supervisor | undefined
}

async function stop({ runtime, replies, relay, supervisor }: Opened): Promise<void> {
  setAppState({ kind: 'stopped' })
  await supervisor?.stop()
  await relay.close()
  await replies.close()
  await runtime.close()
}

/** In a worker the calls of tasks are the worker's own business. */
const IN_A_WORKER: Running = {
  get config(): Config {
    throw new ErrandError('CALL_INVALID', 'start() does nothing inside a worker, and has no configuration to show there.')
  },
  ready: Promise.resolve(),
  stop: async () => {},
}

function once(fn: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  return () => (running ??= fn())
}
