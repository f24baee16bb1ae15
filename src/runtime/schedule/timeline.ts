import type { Clock } from '../../core/clock.js'
import type { Logger } from '../../core/logger.js'
import { ErrandError } from '../../errors.js'
import type { Firing, Firings } from './firings.js'
import type { Plan } from './plans.js'

export interface TimelineParts {
  readonly plan: Plan
  readonly firings: Firings
  readonly clock: Clock
  readonly log: Logger
  /** Resolves once the message of a firing would survive a crash. */
  readonly send: (plan: Plan, firing: Firing) => Promise<void>
  /** Whether all processes that may lead see the same firings; otherwise an old one may have been fired elsewhere. */
  readonly areShared: boolean
}

/** The clock of the machine may be set, and machines sleep: no timer is trusted for longer. */
const LONGEST_SLEEP_MS = 30_000
const RETRY_MS = 1_000
/** Later than this a firing was missed; until then it is late. */
const MISSED_MS = 60_000
/** Another leader of this host may be gone for so long before this one took over. */
const TAKEOVER_MS = 10_000

/** Fires one schedule at its times for as long as this process leads. */
export class Timeline {
  readonly #parts: TimelineParts
  #cancel: () => void = () => {}
  #isClosed = false
  #isFailing = false
  #hasLooked = false
  /** One that was due before this process led. */
  #left: string | undefined
  #firing: Promise<void> = Promise.resolve()

  constructor(parts: TimelineParts) {
    this.#parts = parts
    this.#go(() => this.#look())
  }

  /** Fires no more; resolves when a firing under way has come to its end. Safe twice. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#cancel()
    await this.#firing
  }

  /** One step after the other; what it fails with is tried again. */
  #go(step: () => Promise<void>): void {
    if (this.#isClosed) return
    this.#firing = step().catch((error: unknown) => {
      const { plan, log } = this.#parts
      if (!this.#isFailing) log.warn(`The schedule ${plan.name} is held up, and tried again: ${String(error)}`)
      this.#isFailing = true
      this.#in(RETRY_MS, () => this.#look())
    })
  }

  #in(ms: number, step: () => Promise<void>): void {
    this.#cancel = this.#isClosed ? () => {} : this.#parts.clock.after(ms, () => this.#go(step))
  }

  async #look(): Promise<void> {
    const { plan, firings, clock } = this.#parts
    const firing = await firings.upcoming(plan, clock.now())
    this.#isFailing = false
    if (!this.#hasLooked && firing !== undefined && firing.dueAt <= clock.now()) this.#left = firing.id
    this.#hasLooked = true
    if (firing !== undefined) await this.#wait(firing)
  }

  async #wait(firing: Firing): Promise<void> {
    const left = firing.dueAt - this.#parts.clock.now()
    if (left <= 0) return this.#fire(firing)
    this.#in(Math.min(left, LONGEST_SLEEP_MS), () => this.#wait(firing))
  }

  /** Looks again before it claims: somebody may have cancelled it, and another leader may have sent it. */
  async #fire(known: Firing): Promise<void> {
    const { plan, firings, clock } = this.#parts
    const now = clock.now()
    const firing = (await firings.upcoming(plan, Math.min(now, known.dueAt - 1))) ?? known
    if (firing.dueAt > now) return this.#wait(firing)
    const isMine = await firings.claim(plan, firing, now)
    if (isMine) await (this.#isToRun(firing, now) ? this.#send(firing) : firings.forget(firing, now))
    await this.#look()
  }

  #isToRun({ id, dueAt, isCancelled }: Firing, now: number): boolean {
    const { plan, areShared } = this.#parts
    const lateMs = now - dueAt
    if (isCancelled || (lateMs > MISSED_MS && plan.missed === 'skip')) return false
    return areShared || id !== this.#left || lateMs <= TAKEOVER_MS
  }

  /** Nobody else sends what was claimed here, so it is tried until it is sent, also when another process leads by then. */
  async #send(firing: Firing): Promise<void> {
    const { plan, send, log } = this.#parts
    for (;;) {
      try {
        return await send(plan, firing)
      } catch (error) {
        const isHopeless = error instanceof ErrandError && HOPELESS.has(error.code)
        log.error(`The schedule ${plan.name} cannot send its task${isHopeless ? '' : ', and tries again'}: ${String(error)}`)
        if (isHopeless || this.#isClosed) return
        await this.#pause()
      }
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#parts.clock.after(RETRY_MS, resolve)
      this.#cancel = () => (cancel(), resolve())
    })
  }
}

/** No other try can end otherwise. */
const HOPELESS: ReadonlySet<string> = new Set(['VALUE_UNSERIALIZABLE', 'PAYLOAD_TOO_LARGE', 'OPTION_INVALID', 'BROKER_CLOSED'])
