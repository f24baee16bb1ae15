import type { Logger } from '../../core/logger.js'
import { ErrandError } from '../../errors.js'

/** Whether states can be kept at the moment; the log is told once when that ends, and when it begins again. */
export class Outage {
  readonly #log: Logger
  /** The store cannot be reached, as far as is known. */
  isAway = false
  #hasWarned = false
  #failures = 0

  constructor(log: Logger) {
    this.#log = log
  }

  /** To be told of everything that the store failed with. */
  readonly failed = (error: unknown): undefined => {
    this.#failures++
    if (error instanceof ErrandError && error.code === 'STORE_UNREACHABLE') this.isAway = true
    if (this.#hasWarned) return
    this.#hasWarned = true
    this.#log.warn(`Tasks go on, and how they stand is not kept for now: ${error instanceof Error ? error.message : 'unknown'}`)
  }

  /** To be told of what the store has written; hands it on. */
  readonly over = <T>(written: T): T => {
    if (this.#hasWarned) {
      this.isAway = false
      this.#hasWarned = false
      this.#log.info('It is kept again how tasks stand.')
    }
    return written
  }

  /** Over with what is being stored, unless that fails meanwhile. Costs nothing where there is no outage. */
  endsWith<T>(stored: Promise<T>): Promise<T> {
    if (!this.#hasWarned) return stored
    const failures = this.#failures
    return stored.then((answer) => (failures === this.#failures ? this.over(answer) : answer))
  }
}
