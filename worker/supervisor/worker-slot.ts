import type { ChildProcess } from 'node:child_process'
import type { Config } from '../../config/config.js'
import type { Clock } from '../../src/core/clock.js'
import type { Logger } from '../../src/core/logger.js'
import { spawnWorkerProcess } from './child-process.js'
import { EXIT, readFromWorker, type ToWorker } from './protocol.js'

/** Where one worker process of the set is in its life. */
export type SlotState = 'starting' | 'running' | 'waiting' | 'stopping' | 'stopped'

export interface SlotOptions {
  /** Path of the module that the process runs. */
  readonly main: string
  readonly config: Config
  readonly modules: () => readonly string[]
  readonly clock: Clock
  readonly log: Logger
  readonly random: () => number
  /** The process consumes, for the first time or again. */
  readonly onReady: () => void
  /** It died, and was not asked to. */
  readonly onDied: (pid: number, why: string) => void
  /** It died and is not started again; `why` completes the sentence "The worker …". */
  readonly onGivenUp: (why: string) => void
}

/** A worker that lived this long was fine, and so was one that brought a task to its end; dying sooner counts towards a crash loop. */
const STEADY_MS = 10_000
const CRASH_LOOP_DEATHS = 5
/** What cannot be loaded twice in the same way will not load the next time either. */
const LOAD_FAILURES = 2
const FIRST_BACKOFF_MS = 100
const LONGEST_BACKOFF_MS = 10_000
/** On top of the grace period, for aborting tasks, handing them back and closing. */
const STOP_MARGIN_MS = 5_000

/** One place in the set of workers: keeps one process running in it, one after the other. */
export class WorkerSlot {
  readonly #options: SlotOptions
  #state: SlotState = 'waiting'
  #child: ChildProcess | undefined
  #startedAt = 0
  #earlyDeaths = 0
  /** Why the process could not load its modules, and why the ones before it could not, when that was the same. */
  #loadFailures: readonly string[] = []
  /** A signal told the process to stop; whoever sent it wants another one. */
  #isLeaving = false
  /** A task came to its end in it. */
  #isUseful = false
  #cancelRestart: () => void = () => {}
  #ended: Promise<void> = Promise.resolve()

  constructor(options: SlotOptions) {
    this.#options = options
  }

  get state(): SlotState {
    return this.#isLeaving && this.#state === 'running' ? 'stopping' : this.#state
  }

  /** Process id of the worker, while there is one. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  /** When the process was started, in milliseconds since the epoch. */
  get startedAt(): number {
    return this.#startedAt
  }

  start(): void {
    this.#state = 'starting'
    this.#isLeaving = false
    this.#isUseful = false
    this.#startedAt = this.#options.clock.now()
    const child = spawnWorkerProcess(this.#options.main)
    this.#child = child
    child.on('message', (message) => this.#hear(child, message))
    this.#ended = new Promise((resolve) => {
      // 'error' without 'exit' means that it could not be started at all
      child.once('error', (error) => {
        if (child.pid === undefined) this.#afterDeath(`could not be started (${error.message})`)
        resolve()
      })
      child.once('exit', (code, signal) => {
        this.#afterExit(code, signal)
        resolve()
      })
    })
  }

  /** Asks the process to stop, waits for it, and kills it when it takes longer than it may. */
  async stop(): Promise<void> {
    this.#cancelRestart()
    const child = this.#child
    this.#state = child === undefined ? 'stopped' : 'stopping'
    if (child === undefined) return
    const isListening = tell(child, { errand: 'stop' })
    if (!isListening) child.kill('SIGTERM')
    const { config } = this.#options
    const cancelKill = this.#options.clock.after(config.worker.graceMs + STOP_MARGIN_MS, () => {
      this.#options.log.warn(`The worker ${child.pid} did not stop within its grace period and is killed; what it ran is run again.`)
      child.kill('SIGKILL')
    })
    await this.#ended
    cancelKill()
  }

  #hear(child: ChildProcess, message: unknown): void {
    const said = readFromWorker(message)
    if (said?.errand === 'hello') {
      tell(child, this.#state === 'stopping' ? { errand: 'stop' } : this.#instructions())
    }
    if (said?.errand === 'unloadable') this.#loadFailures = [...this.#loadFailures.filter((why) => why === said.why), said.why]
    if (said?.errand === 'useful') this.#isUseful = true
    if (said?.errand === 'leaving') this.#isLeaving = true
    if (said?.errand === 'ready' && this.#state === 'starting') {
      this.#state = 'running'
      this.#loadFailures = []
      this.#options.onReady()
    }
  }

  #instructions(): ToWorker {
    return { errand: 'run', config: this.#options.config, modules: this.#options.modules() }
  }

  #afterExit(code: number | null, signal: string | null): void {
    const isAsked = code === EXIT.stopped && this.#isLeaving
    const isPlanned = isAsked || (code === EXIT.replace && (this.#isSteady() || this.#isUseful))
    if (isPlanned && this.#state !== 'stopping') {
      const why = isAsked ? 'stopped on a signal' : 'asked to be replaced'
      this.#options.log.info(`The worker ${this.pid} ${why}; a new one starts.`)
      this.#earlyDeaths = 0
      return this.start()
    }
    this.#afterDeath(describeEnd(code, signal))
  }

  #afterDeath(why: string): void {
    const pid = this.pid
    this.#child = undefined
    if (this.#state === 'stopping') {
      this.#state = 'stopped'
      return
    }
    if (pid !== undefined) this.#options.onDied(pid, why)
    // one that tasks kill works them off all the same: each is stopped by its own limit
    this.#earlyDeaths = this.#isSteady() || this.#isUseful ? 0 : this.#earlyDeaths + 1
    const keepAlive = this.#options.config.worker.keepAlive
    if (!keepAlive) return this.#giveUp(why)
    if (this.#loadFailures.length >= LOAD_FAILURES) return this.#giveUp(`${why}, for the ${LOAD_FAILURES}nd time because of the same failure to load`)
    if (this.#earlyDeaths >= CRASH_LOOP_DEATHS) {
      return this.#giveUp(`${why}, for the ${CRASH_LOOP_DEATHS}th time in a row within ${STEADY_MS / 1000} s of its start`)
    }
    const delayMs = this.#backoff()
    this.#options.log.warn(`The worker ${pid ?? ''} ${why}; the next one starts in ${delayMs} ms.`)
    this.#state = 'waiting'
    this.#cancelRestart = this.#options.clock.after(delayMs, () => this.start())
  }

  #giveUp(why: string): void {
    this.#state = 'stopped'
    this.#options.onGivenUp(why)
  }

  #isSteady(): boolean {
    return this.#options.clock.now() - this.#startedAt >= STEADY_MS
  }

  /** Full jitter, so that the workers of many hosts do not come back together; never below the first step. */
  #backoff(): number {
    const ceiling = Math.min(FIRST_BACKOFF_MS * 2 ** this.#earlyDeaths, LONGEST_BACKOFF_MS)
    return Math.round(FIRST_BACKOFF_MS + this.#options.random() * (ceiling - FIRST_BACKOFF_MS))
  }
}

/** How the process ended, as the rest of a sentence about the worker. */
function describeEnd(code: number | null, signal: string | null): string {
  if (signal !== null) return `was ended by ${signal}`
  return code === EXIT.replace ? 'exceeded its memory limit (worker.maxMemory)' : `ended with code ${code}`
}

/** Says something to the worker; `false` when it does not listen. */
function tell(child: ChildProcess, message: ToWorker): boolean {
  if (!child.connected) return false
  child.send(message, () => {}) // a channel that closes under the message means an exit, which is handled there
  return true
}
