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
    this.#firings = firingsOf(runtime.store, owner)
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
    const send = (plan: Plan, firing: Firing): Promise<void> => outside(() => sendPlan(runtime, plan, firing))
    const common = { firings: this.#firings, clock, log, send }
    const waitingIn = async (queue: string): Promise<number> => (await runtime.broker.count(queue)).waiting
    this.#endRecovery = plans.map((plan) => recover({ ...common, plan, waitingIn }))
    this.#timelines = plans.map((plan) => new Timeline({ ...common, plan }))
  }

  /** Never rejects. */
  async #rest(): Promise<void> {
    for (const end of this.#endRecovery) end()
    await Promise.all(this.#timelines.map((timeline) => timeline.close()))
  }
}

/** Where the firings of a service are kept. */
export const firingsOf = (store: Store | undefined, owner: Owner): Firings => (store === undefined ? new LocalFirings(owner) : new StoredFirings(store, owner))

async function sendPlan(runtime: Runtime, { task, as, args }: Plan, { id }: Firing): Promise<void> {
  const context = makeContext(as)
  const encoded = encodeCall({ task, self: undefined, args }, { context })
  await sendFiring(runtime, task, encoded, id)
}
