import { statSync } from 'node:fs'
import type { Clock } from '../core/clock.js'
import { ErrandError } from '../errors.js'

/** How often the path is looked at; what is published in between to a file that is gone is lost with it. */
const LOOK_MS = 1000

/**
 * The file that was opened, as against the one that its path names now: whoever writes on to a file that was removed or replaced
 * writes for nobody. Looks at the path only: opening and closing the file again would drop the locks of this process.
 */
export class QueueFile {
  readonly #path: string
  readonly #clock: Clock
  readonly #onLost: (error: ErrandError) => void
  readonly #opened: string | undefined
  #lookedAt: number
  #lost: ErrandError | undefined

  /** Made right after the file was opened. `onLost` is called once. */
  constructor(path: string, clock: Clock, onLost: (error: ErrandError) => void) {
    this.#path = path
    this.#clock = clock
    this.#onLost = onLost
    this.#opened = identityOf(path)
    this.#lookedAt = clock.now()
  }

  /** Whether the file was found removed or replaced, or was given up. That never heals. */
  get isLost(): boolean {
    return this.#lost !== undefined
  }

  /** It is of no use any more, for a reason that never heals either. */
  giveUp(error: ErrandError): void {
    if (this.#lost !== undefined) return
    this.#lost = error
    this.#onLost(error)
  }

  /** Looks at the path, once a second at most. @throws ErrandError `BROKER_UNREACHABLE` when the file is lost or was given up */
  check(): void {
    const elapsedMs = this.#clock.now() - this.#lookedAt
    // a clock that was set back must not put the look off
    if (this.#lost === undefined && elapsedMs >= 0 && elapsedMs < LOOK_MS) return
    this.checkNow()
  }

  /** Looks at the path. @throws ErrandError `BROKER_UNREACHABLE` when the file is lost */
  checkNow(): void {
    if (this.#lost !== undefined) throw this.#lost
    this.#lookedAt = this.#clock.now()
    const current = identityOf(this.#path)
    if (current === undefined || current === this.#opened) return
    const lost = new ErrandError(
      'BROKER_UNREACHABLE',
      `The queue file ${this.#path} was removed or replaced while it was in use. Restart every process that uses it.`,
    )
    this.giveUp(lost)
    throw lost
  }
}

/** Device and inode, `gone` where there is no file, `undefined` where the system does not tell. */
function identityOf(path: string): string | undefined {
  try {
    const stat = statSync(path, { bigint: true, throwIfNoEntry: false })
    return stat === undefined ? 'gone' : `${stat.dev}/${stat.ino}`
  } catch {
    // a folder that may not be searched for the moment says nothing of the file
    return undefined
  }
}
