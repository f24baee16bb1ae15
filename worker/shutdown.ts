import type { Clock } from '../src/core/clock.js'
import type { Logger } from '../src/core/logger.js'
import { ErrandError } from '../src/errors.js'
import type { Loop } from './loop.js'

/** For bodies that heed their signal to end by themselves. */
const ABORT_MS = 500

export interface ShutdownOptions {
  readonly loop: Loop
  readonly clock: Clock
  readonly log: Logger
  /** Ends the threads and processes in which tasks still run. */
  readonly endLanes?: (() => Promise<void>) | undefined
}

/** The stop of a loop: quiet, then drain, then abort, then hand back. It can be hastened while it is under way. */
export class Shutdown {
  readonly #options: ShutdownOptions
  #deadline = Infinity
  #cancelTimer: () => void = () => {}
  #expire: () => void = () => {}
  readonly #expired = new Promise<void>((resolve) => {
    this.#expire = resolve
  })
  #running: Promise<void> | undefined

  constructor(options: ShutdownOptions) {
    this.#options = options
  }

  /** Stops within `graceMs`; a second call can only shorten that. */
  within(graceMs: number): Promise<void> {
    const deadline = this.#options.clock.now() + graceMs
    if (deadline < this.#deadline) {
      this.#deadline = deadline
      this.#cancelTimer()
      this.#cancelTimer = this.#options.clock.after(graceMs, () => this.#expire())
    }
    this.#running ??= this.#drain()
    return this.#running
  }

  async #drain(): Promise<void> {
    const { loop, clock, log } = this.#options
    if (loop.running > 0) log.info(`The worker stops; ${loop.running} running task(s) may end first.`)
    const quiet = loop.quiet()
    quiet.catch((error: unknown) => log.warn(`Stopping to consume failed: ${error instanceof Error ? error.message : 'unknown'}`))
    // what was being taken in that moment may have begun
    const empty = quiet.catch(() => {}).then(() => loop.empty())
    await Promise.race([empty, this.#expired])
    if (loop.running > 0) {
      loop.abort(new ErrandError('TASK_FAILED', 'The worker stops and its grace period is over; the task will be run again.'))
      await Promise.race([empty, new Promise<void>((resolve) => clock.after(ABORT_MS, resolve))])
    }
    // what is handed back may be running elsewhere a moment later
    const rest = loop.running
    await this.#options.endLanes?.()
    loop.handBack()
    if (rest > 0) log.warn(`${rest} task(s) did not end within the grace period and are handed back; they will be run again.`)
    await Promise.race([quiet.catch(() => {}), this.#expired])
    this.#cancelTimer()
  }
}
