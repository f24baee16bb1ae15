import type { Held, Locks } from '../../broker/locks.js'
import type { Clock } from '../../core/clock.js'
import type { Logger } from '../../core/logger.js'

export interface LeadershipParts {
  /** The leader is who holds this name. */
  readonly name: string
  readonly locks: () => Promise<Locks>
  readonly clock: Clock
  readonly log: Logger
  /** This process leads from now on. */
  readonly onLead: () => void
  /** It does not any more; another may. */
  readonly onLose: () => void
}

const TRY_MS = 1_000

/** Sees to it that one process of all that use the broker leads: another one within about two seconds after it is gone. */
export class Leadership {
  readonly #parts: LeadershipParts
  #held: Held | undefined
  #cancel: () => void = () => {}
  #isClosed = false
  #isFailing = false
  #trying: Promise<void>

  constructor(parts: LeadershipParts) {
    this.#parts = parts
    this.#trying = this.#try()
  }

  /** Lets go at once, so that another need not find out. Safe twice. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancel()
    await this.#trying
    await this.#held?.release()
  }

  async #try(): Promise<void> {
    const { name, locks, onLead, log } = this.#parts
    try {
      const held = await (await locks()).take(name)
      this.#isFailing = false
      if (held === undefined || this.#isClosed) {
        await held?.release()
        return this.#later()
      }
      this.#held = held
      log.info('Leads the schedules of this service.')
      onLead()
      if (held.lost.aborted) this.#lose()
      else held.lost.addEventListener('abort', () => this.#lose(), { once: true })
    } catch (error) {
      if (!this.#isFailing && !this.#isClosed) log.warn(`Nobody knows who leads the schedules; it is tried again: ${String(error)}`)
      this.#isFailing = true
      this.#later()
    }
  }

  #lose(): void {
    this.#held = undefined
    if (this.#isClosed) return
    this.#parts.log.warn('Leads the schedules of this service no more: the connection to where that is written is gone.')
    this.#parts.onLose()
    this.#later()
  }

  #later(): void {
    if (this.#isClosed) return
    // spread out, so that the workers of many hosts do not ask all at once
    this.#cancel = this.#parts.clock.after(TRY_MS * (0.75 + Math.random() / 2), () => {
      this.#trying = this.#try() // never rejects
    })
  }
}
