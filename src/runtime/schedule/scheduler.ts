import type { Locks } from '../../broker/locks.js'
import { makeContext } from '../../core/context.js'
import { outside } from '../../core/outside.js'
import type { Store } from '../../store/store.js'
import { encodeCall, sendFiring } from '../dispatch.js'
import type { Runtime } from '../runtime.js'
import { LocalFirings, StoredFirings, type Firing, type Firings, type Owner } from './firings.js'
import { Leadership } from './leadership.js'
import type { Plan } from './plans.js'
import { recover } from './recovery.js'
import { Timeline } from './timeline.js'

export interface SchedulerParts {
  readonly runtime: Runtime & { readonly locks: () => Promise<Locks> }
  readonly plans: readonly Plan[]
  readonly owner: Owner
  /** Whether the store is one for all hosts that may lead. */
  readonly isStoreShared: boolean
}

/** Fires the schedules of a service wherever its process leads. */
export class Scheduler {
  readonly #leadership: Leadership
  readonly #parts: SchedulerParts
  readonly #firings: Firings
  #timelines: readonly Timeline[] = []
  #endRecovery: readonly (() => void)[] = []

  constructor(parts: SchedulerParts) {
    const { runtime, owner } = parts
    this.#parts = parts
    this.#firings = firingsOf(runtime.tracking?.store, owner)
    this.#leadership = new Leadership({
      name: `schedules:${owner.service}:${owner.environment}`,
      locks: runtime.locks,
      clock: runtime.clock,
      log: runtime.log,
      onLead: () => this.#lead(),
      onLose: () => void this.#rest(),
    })
  }

  /** Fires no more and lets go of the leadership. Safe twice. */
  async close(): Promise<void> {
    // last, so that the next leader finds everything sent
    await this.#rest()
    await this.#leadership.close()
    await this.#rest()
  }

  #lead(): void {
    const { runtime, plans } = this.#parts
    const { clock, log } = runtime
    const { isStoreShared: areShared } = this.#parts
    if (!areShared && plans.some(({ missed }) => missed === 'once')) log.info(NOT_MADE_UP)
    const send = (plan: Plan, firing: Firing): Promise<void> => outside(() => this.#send(plan, firing))
    const common = { firings: this.#firings, clock, log, send, areShared }
    const waitingIn = async (queue: string): Promise<number> => (await runtime.broker.count(queue)).waiting
    this.#endRecovery = plans.map((plan) => recover({ ...common, plan, waitingIn }))
    this.#timelines = plans.map((plan) => new Timeline({ ...common, plan }))
  }

  async #send({ task, as, args }: Plan, firing: Firing): Promise<void> {
    const { runtime } = this.#parts
    const encoded = encodeCall({ task, self: undefined, args }, { context: makeContext(as) })
    await sendFiring(runtime, task, encoded, firing.id)
    if (!task.declaration.options.track) await this.#firings.forget(firing, runtime.clock.now())
  }

  /** Never rejects. */
  async #rest(): Promise<void> {
    for (const end of this.#endRecovery) end()
    await Promise.all(this.#timelines.map((timeline) => timeline.close()))
  }
}

/** Where the firings of a service are kept. */
export const firingsOf = (store: Store | undefined, owner: Owner): Firings => (store === undefined ? new LocalFirings(owner) : new StoredFirings(store, owner))

const NOT_MADE_UP =
  'What is due while no worker runs is not made up for: the store is one of this host, and another host may have led. "store: postgres://…" is one for all.'
