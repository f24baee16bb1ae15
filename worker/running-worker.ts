import type { Config } from '../config/config.js'
import type { Logger } from '../src/core/logger.js'
import { ErrandError } from '../src/errors.js'
import { createExecutor } from '../src/runtime/execute.js'
import type { Bodies } from '../src/runtime/host.js'
import type { Runtime } from '../src/runtime/runtime.js'
import { beginWithClaim } from '../src/runtime/tracking/begin-run.js'
import type { Scheduler } from '../src/runtime/schedule/scheduler.js'
import { expireRegularly } from './expiry.js'
import { LanePool } from './isolation/lane-pool.js'
import { LagWatch, lagLimitMs } from './loop-lag.js'
import { Loop } from './loop.js'
import { watchMemory } from './memory.js'
import { onceReachable } from './patience.js'
import { prepare, reportFatal, undo, type WorkerSetup } from './prepared.js'
import { startSchedules } from './schedules.js'
import { Shutdown } from './shutdown.js'
import { EXIT } from './supervisor/protocol.js'

/** A worker that consumes. */
export interface RunningWorker {
  /**
   * Takes nothing new, waits for what runs (up to `worker.graceMs` of the configuration, or `graceMs`), aborts and hands back the
   * rest, and closes. Safe twice; a second call can only shorten the wait.
   */
  stop(options?: { readonly graceMs?: number | undefined }): Promise<void>
  /** Resolves when the worker has stopped, with the exit code that fits: 0, or 75 when it stopped to be replaced (memory limit, or a
   * task that did not end when it was told to). */
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

/**
 * Loads the services and begins to consume; waits for a broker that cannot be reached.
 * @throws ErrandError `SERVICE_LOAD_FAILED`, and what the broker refuses with
 */
export async function openWorker(setup: WorkerSetup): Promise<OpenWorker> {
  const { config, log, modules, signal } = setup
  const prepared = await prepare(setup)
  const { runtime, tasks, cleanUp } = prepared
  log.info(`Runs ${tasks.length} task(s) from ${config.worker.queues.join(', ')}, ${config.worker.concurrency} at once.`)
  const lanes = new LanePool({ config, modules, log, clock: runtime.clock })
  const lag = new LagWatch({ log, limitMs: lagLimitMs(config.broker) })
  cleanUp.push(() => lag.close(), () => lanes.close())
  if (runtime.tracking !== undefined) cleanUp.push(expireRegularly(runtime.tracking.store, runtime))
  let worker: Worker | undefined
  try {
    worker = new Worker({ config, runtime, log, lanes, cleanUp, bodies: lag, onFirstEnd: setup.onFirstEnd })
    const begun = worker
    await onceReachable(() => begun.start(), { log, clock: runtime.clock, signal })
    worker.fire(startSchedules(config, runtime))
    return worker
  } catch (error) {
    // those of its queues that it consumes may have tasks under way
    await (worker?.stop() ?? undo(cleanUp, log))
    if (signal?.aborted !== true) await reportFatal(runtime, `The worker of ${config.service} cannot start`, error)
    throw error
  }
}

interface WorkerParts {
  readonly config: Config
  readonly runtime: Runtime
  readonly log: Logger
  readonly lanes: LanePool
  readonly bodies: Bodies
  readonly onFirstEnd: (() => void) | undefined
  readonly cleanUp: readonly (() => unknown)[]
}

class Worker implements OpenWorker {
  readonly stopped: Promise<number>
  readonly #parts: WorkerParts
  readonly #shutdown: Shutdown
  #exitCode: number = EXIT.stopped
  #stopping: Promise<void> | undefined
  #setStopped: (code: number) => void = () => {}
  readonly #loop: Loop
  readonly #endWatch: () => void
  #schedules: Scheduler | undefined

  constructor(parts: WorkerParts) {
    const { config, runtime, log, lanes, bodies } = parts
    const executor = createExecutor(runtime, { lanes, bodies, isolation: config.worker.isolation, onStuck: (task) => this.#replace(stuck(task)) })
    this.#parts = parts
    this.#loop = new Loop({ broker: runtime.broker, executor, ...config.worker, begin: beginWithClaim(runtime), onFirstEnd: parts.onFirstEnd })
    this.#shutdown = new Shutdown({ loop: this.#loop, clock: runtime.clock, log, endLanes: () => lanes.kill() })
    this.stopped = new Promise((resolve) => {
      this.#setStopped = resolve
    })
    this.#endWatch = watchMemory({ maxMb: config.worker.maxMemoryMb, onExceeded: (mb) => this.#replace(tooLarge(mb, config)) })
  }

  /** Begins to consume. */
  start(): Promise<void> {
    return this.#loop.start()
  }

  /** Fires schedules until it stops. */
  fire(schedules: Scheduler | undefined): void {
    this.#schedules = schedules
  }

  stop({ graceMs = this.#parts.config.worker.graceMs }: { readonly graceMs?: number | undefined } = {}): Promise<void> {
    const drained = this.#shutdown.within(graceMs)
    this.#stopping ??= this.#close(drained)
    return this.#stopping
  }

  async abandon(culprit: string | undefined, error: unknown): Promise<void> {
    const { runtime, log, lanes } = this.#parts
    this.#endWatch()
    const reason = new ErrandError('TASK_FAILED', 'Its worker ended because of an error that nothing caught.', { cause: error })
    await this.#loop.abandon(culprit, reason, ABANDON_MS)
    void lanes.kill() // never rejects
    const closing = runtime.broker.close().catch((failure: unknown) => log.warn(`Closing the broker: ${String(failure)}`))
    let timer: NodeJS.Timeout | undefined
    await Promise.race([closing, new Promise((resolve) => (timer = setTimeout(resolve, ABANDON_MS)))])
    clearTimeout(timer)
  }

  async #close(drained: Promise<void>): Promise<void> {
    this.#endWatch()
    await Promise.all([this.#schedules?.close(), drained])
    await undo(this.#parts.cleanUp, this.#parts.log)
    this.#setStopped(this.#exitCode)
  }

  #replace(why: string): void {
    if (this.#exitCode === EXIT.replace) return
    this.#parts.log.warn(`The worker ${why}; it takes nothing new, ends its tasks and is replaced.`)
    this.#exitCode = EXIT.replace
    void this.stop() // never rejects
  }
}

const tooLarge = (mb: number, { worker }: Config): string => `uses ${mb} MB of memory, more than worker.maxMemory allows (${worker.maxMemoryMb} MB)`

const stuck = (task: string): string => `cannot end ${task}, which goes on after its time limit or cancellation, and its grace (isolation: 'thread' could be ended alone)`
