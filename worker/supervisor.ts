import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Config } from '../config/config.js'
import { systemClock, type Clock } from '../src/core/clock.js'
import type { Logger } from '../src/core/logger.js'
import type { ErrorReporter } from '../src/core/report.js'
import { ErrandError } from '../src/errors.js'
import { Election, type LeaderKind, type LeaderStatus } from './supervisor/election.js'
import { leaderAddress } from './supervisor/leader-address.js'
import { WorkerSlot } from './supervisor/worker-slot.js'

export interface SupervisorOptions {
  readonly config: Config
  /** URLs of modules with tasks, asked for at every start of a worker: what it loads when `config.services` is empty. */
  readonly modules: () => readonly string[]
  readonly log: Logger
  /** Called when the workers cannot be kept alive. */
  readonly report: ErrorReporter
  /** Called when a worker died that was not asked to; `why` completes the sentence "The worker …". */
  readonly onDied?: ((pid: number, why: string) => void) | undefined
  /** Called when none of these workers is left or will be started. */
  readonly onLost?: ((error: ErrandError) => void) | undefined
  /** @defaultValue the system's clock */
  readonly clock?: Clock | undefined
  /** Module that a worker process runs. @defaultValue the `main` beside this file */
  readonly workerMain?: URL | undefined
  /** What this process is, for `errand stop`. @defaultValue 'server' */
  readonly leader?: LeaderKind | undefined
  /** From 0 to 1, for the wait before a restart. @defaultValue Math.random */
  readonly random?: (() => number) | undefined
}

/** Keeps the workers of a service running. */
export interface Supervisor {
  /**
   * Resolves when the first worker consumes, or when another server process of this host runs the workers.
   * @throws ErrandError `WORKER_CRASH_LOOP`, `SERVICE_LOAD_FAILED`
   */
  readonly ready: Promise<void>
  /** Stops the workers within their grace period and lets another server of this host take over. Safe twice. */
  stop(): Promise<void>
}

/**
 * Runs the worker processes of a service: one set per host, however many server processes there are; the others stand by and take
 * over. Neither the supervisor nor the workers keep this process alive, and the workers end when it does.
 */
export function startSupervisor(options: SupervisorOptions): Supervisor {
  const supervisor = new WorkerSupervisor(options)
  supervisor.start()
  return supervisor
}

class WorkerSupervisor implements Supervisor {
  readonly ready: Promise<void>
  readonly #options: SupervisorOptions
  readonly #election: Election
  readonly #slots: readonly WorkerSlot[]
  #settleReady: (error?: ErrandError) => void = () => {}
  #stopping: Promise<void> | undefined
  #isReported = false

  constructor(options: SupervisorOptions) {
    this.#options = options
    const { config, log, clock = systemClock, random = Math.random } = options
    this.ready = new Promise((resolve, reject) => {
      const release = holdProcess()
      this.#settleReady = (error) => {
        release()
        if (error === undefined) resolve()
        else reject(error)
      }
    })
    this.ready.catch(() => {}) // whoever awaits it sees it; a server that does not must live on
    const main = options.workerMain ?? new URL('./main.js', import.meta.url)
    const slot = { main: fileURLToPath(main), config, modules: options.modules, clock, log, random }
    this.#slots = Array.from(
      { length: config.worker.processes },
      () => new WorkerSlot({ ...slot, onReady: () => this.#settleReady(), onGivenUp: (why) => this.#giveUp(why), onDied: options.onDied ?? (() => {}) }),
    )
    this.#election = new Election({
      address: leaderAddress(config),
      clock,
      onLead: () => this.#lead(slot.main),
      onFollow: () => this.#follow(),
      onError: (error) => this.#fail(error),
      status: () => this.#status(),
    })
  }

  start(): void {
    this.#election.start()
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    const release = holdProcess()
    try {
      // the election last: a server that takes over finds the workers gone
      await Promise.all(this.#slots.map((slot) => slot.stop()))
      await this.#election.close()
    } finally {
      this.#settleReady()
      release()
    }
  }

  #lead(main: string): void {
    if (this.#stopping !== undefined) return
    if (!existsSync(main)) return this.#fail(noMain(main))
    this.#options.log.debug(`This process runs the workers of ${this.#options.config.service} on this host.`)
    for (const slot of this.#slots) slot.start()
  }

  #follow(): void {
    this.#options.log.debug(`Another process runs the workers of ${this.#options.config.service} on this host; this one stands by.`)
    this.#settleReady()
  }

  #giveUp(why: string): void {
    const { config } = this.#options
    const error = new ErrandError(
      'WORKER_CRASH_LOOP',
      `The worker of ${config.service} ${why}. It is not started again: tasks are stored but do not run. ` +
        'Its own lines above say why it died; correct that and restart the server.',
    )
    if (this.#slots.every(({ state }) => state === 'stopped')) this.#options.onLost?.(error)
    this.#fail(error)
  }

  #fail(error: ErrandError): void {
    this.#settleReady(error)
    if (this.#isReported) return
    this.#isReported = true
    this.#options.log.error(`${error.code} ${error.message}`)
    void this.#tell(error) // never rejects
  }

  async #tell(error: ErrandError): Promise<void> {
    const { config, log, report } = this.#options
    try {
      await report({ title: `The worker of ${config.service} does not run`, error, data: { fatal: true, code: error.code } })
    } catch (cause) {
      log.error(`The error reporter failed: ${cause instanceof Error ? cause.message : 'it threw a value that is no error'}`)
    }
  }

  #status(): LeaderStatus {
    const { config, leader = 'server' } = this.#options
    const { service, environment } = config
    const workers = this.#slots.map(({ pid, state, startedAt }) => ({ pid, state, startedAt }))
    return { pid: process.pid, leader, service, environment, workers }
  }
}

/** Keeps this process alive until the answer is called: somebody awaits what would otherwise not hold it. */
function holdProcess(): () => void {
  const timer = setInterval(() => {}, 2 ** 30)
  return () => clearInterval(timer)
}

function noMain(main: string): ErrandError {
  return new ErrandError(
    'SERVICE_LOAD_FAILED',
    `Cannot start the worker: ${main} does not exist. When the server is bundled into one file, leave "errand" out of the bundle (external).`,
  )
}
