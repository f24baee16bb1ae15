import { deferred, type Deferred } from '../link/deadline.js'
import type { Session } from '../link/session.js'

/** A run whose message is acknowledged: a watch copy of it goes round, and a marker of this process says that the run goes on. */
export class Watched {
  /** Part of the names of its markers; of no other run. */
  readonly key: string
  /** Tells the run that another process has its message. */
  readonly #onLost: (reason: unknown) => void
  #session: Session
  #isLost = false
  #turn: Deferred<void> = deferred()

  constructor(key: string, session: Session, onLost: (reason: unknown) => void) {
    this.key = key
    this.#session = session
    this.#onLost = onLost
  }

  get isLost(): boolean {
    return this.#isLost
  }

  /** The connection that holds the marker, waiting for one; `undefined` when the run is lost. */
  async holder(): Promise<Session | undefined> {
    while (!this.#isLost) {
      if (this.#session.isUp) return this.#session
      await this.#turn.promise
    }
    return undefined
  }

  /** Another connection of this process holds the marker now. */
  heldBy(session: Session): void {
    this.#session = session
    this.#next()
  }

  lose(reason: unknown): void {
    if (this.#isLost) return
    this.#isLost = true
    this.#next()
    this.#onLost(reason)
  }

  #next(): void {
    this.#turn.resolve()
    this.#turn = deferred()
  }
}
