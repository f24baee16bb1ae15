import type { Config } from '../config/config.js'
import { compose } from '../src/compose.js'
import { setContextSettings } from '../src/core/context-settings.js'
import { systemClock } from '../src/core/clock.js'
import type { Logger } from '../src/core/logger.js'
import type { ErrorReporter } from '../src/core/report.js'
import { ErrandError } from '../src/errors.js'
import { appState, setAppState } from '../src/runtime/app.js'
import { createExecutor } from '../src/runtime/execute.js'
import { markWorkerProcess } from '../src/runtime/process-role.js'
import { Replies } from '../src/runtime/replies.js'
import type { Runtime } from '../src/runtime/runtime.js'
import { traceOf } from '../src/runtime/trace.js'
import { useConfiguredCarriers } from '../src/use-carriers.js'
import { loadContainer } from './load-container.js'
import { loadErrorReporter } from './load-error-reporter.js'
import { loadModule } from './load-module.js'
import { loadService } from './load-service.js'
import { Loop } from './loop.js'
import { watchMemory } from './memory.js'
import { ModuleLoader, type LoadModule } from './module-loader.js'
import { onceReachable } from './patience.js'
import { guardPorts } from './port-guard.js'
import { EXIT, type WorkerInstructions } from './supervisor/protocol.js'
import { Shutdown } from './shutdown.js'
import { warningWhenSlow } from './slow-module.js'

/** A worker that consumes. */
export interface RunningWorker {
  /**
   * Takes nothing new, waits for what runs (up to `worker.graceMs` of the configuration, or `graceMs`), aborts and hands back the
   * rest, and closes. Safe twice; a second call can only shorten the wait.
   */
  stop(options?: { readonly graceMs?: number | undefined }): Promise<void>
  /** Resolves when the worker has stopped, with the exit code that fits: 0, or 75 when it stopped to be replaced (memory limit). */
  readonly stopped: Promise<number>
}

/** A worker whose process may have to end at once. */
export interface OpenWorker extends RunningWorker {
  /**
   * Hands back, within about a second, what runs, because an error that nothing caught ends this process. Only the task whose id is
   * `culprit` counts a crash. Never rejects.
   */
  abandon(culprit: string | undefined, error: unknown): Promise<void>
}

/** For each half of giving up: the loop, and the broker that has to hear of it. */
const ABANDON_MS = 500

export interface WorkerSetup extends WorkerInstructions {
  readonly log: Logger
  /** How long modules may open no ports (unless `worker.listen`): while they load, or as long as the process lives. */
  readonly guardPorts: 'loading' | 'always'
  /** What becomes of calls that modules make at their top level while they load: in a spawned worker the server has sent them. */
  readonly callsWhileLoading: 'sent' | 'withheld'
  /** Ends the wait for a broker that cannot be reached. */
  readonly signal?: AbortSignal | undefined
  /** Gets the configured error reporter, for failures that only the process sees. */
  readonly onReporter?: ((report: ErrorReporter) => void) | undefined
}

/**
 * Loads the services and begins to consume; waits for a broker that cannot be reached.
 * @throws ErrandError `SERVICE_LOAD_FAILED`, and what the broker refuses with
 */
export async function openWorker(setup: WorkerSetup): Promise<OpenWorker> {
  markWorkerProcess()
  const { config, log, signal } = setup
  const report = (await loadErrorReporter(config, log)) ?? (() => {})
  setup.onReporter?.(report)
  // a worker waits for messages: that is a reason to stay, which not every broker gives by itself
  const hold = setInterval(() => {}, 2 ** 30)
  const cleanUp: (() => unknown)[] = [() => clearInterval(hold)]
  try {
    setContextSettings(config)
    await useConfiguredCarriers(config)
    const runtime = await onceReachable(() => compose(config, { log, report }), { log, clock: systemClock, signal })
    cleanUp.push(() => runtime.close())
    cleanUp.push(callThrough(runtime, log))
    await load(setup, runtime, cleanUp)
    const loop = new Loop({ broker: runtime.broker, executor: createExecutor(runtime), ...config.worker })
    await onceReachable(() => loop.start(), { log, clock: runtime.clock, signal })
    return new Worker({ config, runtime, log, loop, cleanUp })
  } catch (error) {
    await undo(cleanUp, log)
    if (signal?.aborted !== true) await reportFatal({ report, log }, `The worker of ${config.service} cannot start`, error)
    throw error
  }
}

/** Tells people that a worker is gone. Never rejects. */
export async function reportFatal(to: { readonly report: ErrorReporter; readonly log: Logger }, title: string, error: unknown): Promise<void> {
  to.log.error(`${title}: ${traceOf(error)}`)
  try {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
    await to.report({ title, error, data: { fatal: true, ...(typeof code === 'string' ? { code } : {}) } })
  } catch (failure) {
    to.log.error(`The error reporter failed: ${traceOf(failure)}`)
  }
}

interface WorkerParts {
  readonly config: Config
  readonly runtime: Runtime
  readonly log: Logger
  readonly loop: Loop
  readonly cleanUp: readonly (() => unknown)[]
}

class Worker implements OpenWorker {
  readonly stopped: Promise<number>
  readonly #parts: WorkerParts
  readonly #shutdown: Shutdown
  #exitCode: number = EXIT.stopped
  #stopping: Promise<void> | undefined
  #setStopped: (code: number) => void = () => {}
  readonly #endWatch: () => void

  constructor(parts: WorkerParts) {
    this.#parts = parts
    this.#shutdown = new Shutdown({ loop: parts.loop, clock: parts.runtime.clock, log: parts.log })
    this.stopped = new Promise((resolve) => {
      this.#setStopped = resolve
    })
    this.#endWatch = watchMemory({ maxMb: parts.config.worker.maxMemoryMb, onExceeded: (mb) => this.#replace(mb) })
  }

  stop({ graceMs = this.#parts.config.worker.graceMs }: { readonly graceMs?: number | undefined } = {}): Promise<void> {
    const drained = this.#shutdown.within(graceMs)
    this.#stopping ??= this.#close(drained)
    return this.#stopping
  }

  async abandon(culprit: string | undefined, error: unknown): Promise<void> {
    const { loop, runtime, log } = this.#parts
    this.#endWatch()
    const reason = new ErrandError('TASK_FAILED', 'Its worker ended because of an error that nothing caught.', { cause: error })
    await loop.abandon(culprit, reason, ABANDON_MS)
    const closing = runtime.broker.close().catch((failure: unknown) => log.warn(`Closing the broker: ${String(failure)}`))
    let timer: NodeJS.Timeout | undefined
    await Promise.race([closing, new Promise((resolve) => (timer = setTimeout(resolve, ABANDON_MS)))])
    clearTimeout(timer)
  }

  async #close(drained: Promise<void>): Promise<void> {
    this.#endWatch()
    await drained
    await undo(this.#parts.cleanUp, this.#parts.log)
    this.#setStopped(this.#exitCode)
  }

  #replace(mb: number): void {
    const { config, log } = this.#parts
    log.warn(`The worker uses ${mb} MB of memory, more than worker.maxMemory allows (${config.worker.maxMemoryMb} MB); it ends its tasks and is replaced.`)
    this.#exitCode = EXIT.replace
    void this.stop() // never rejects
  }
}

async function load(setup: WorkerSetup, { clock }: Runtime, cleanUp: (() => unknown)[]): Promise<void> {
  const { config, modules, log, guardPorts: guarded, callsWhileLoading } = setup
  const lift = config.worker.listen ? () => {} : guardPorts(log)
  cleanUp.push(lift)
  const loader = new ModuleLoader(log)
  const loadOne: LoadModule = callsWhileLoading === 'sent' ? loadModule : (url, role) => loader.load(url, role)
  const importing = warningWhenSlow(loadOne, { log, clock })
  const container = await loadContainer(config, importing)
  if (container?.close !== undefined) cleanUp.push(() => container.close?.())
  const tasks = await loadService(config, modules, importing)
  if (guarded === 'loading') lift()
  log.info(`Runs ${tasks.length} task(s) from ${config.worker.queues.join(', ')}, ${config.worker.concurrency} at once.`)
}

/** Lets the tasks call tasks, unless this process does so already. The answer takes that back. */
function callThrough(runtime: Runtime, log: Logger): () => Promise<void> {
  if (appState().kind === 'on') return async () => {}
  const replies = new Replies(runtime.broker, runtime.messages, log)
  const state = { kind: 'on', runtime, replies } as const
  setAppState(state)
  return async () => {
    if (appState() === state) setAppState({ kind: 'stopped' })
    await replies.close()
  }
}

/** Closes what was opened, the last first; one failure does not keep the others from it. */
async function undo(steps: readonly (() => unknown)[], log: Logger): Promise<void> {
  for (const step of steps.toReversed()) {
    try {
      await step()
    } catch (error) {
      log.warn(`Closing the worker: ${error instanceof Error ? error.message : 'a value that is no error was thrown'}`)
    }
  }
}
