import type { Clock } from '../../../core/clock.js'
import { outside } from '../../../core/outside.js'
import type { Lease } from './lease.js'

/**
 * A server can forget a consumer without a word: 3.10 does where a queue is deleted and declared again within milliseconds, and then
 * keeps what it means to have handed out. Where nothing came for so long, the consumer is set up anew.
 */
const IDLE_MS = 60_000

export interface IdleParts {
  readonly clock: Clock
  /** How many deliveries may be handed out; `undefined` once the consumer has stopped. */
  readonly places: () => number | undefined
  /** Sets the consumer up anew; the lease has ended in good order. */
  readonly renew: () => void
}

/** Watches a consumer, as long as it lives, for having been forgotten. */
export function renewWhenIdle(lease: Lease, parts: IdleParts): void {
  const before = lease.acks.total
  outside(() => parts.clock.after(IDLE_MS, () => void look(lease, parts, lease.acks.total > before)))
}

async function look(lease: Lease, parts: IdleParts, isAlive: boolean): Promise<void> {
  const places = parts.places()
  if (!lease.isUsable || places === undefined) return
  if (isAlive || lease.acks.running > 0 || places === 0) return renewWhenIdle(lease, parts)
  try {
    // in good order: what comes in this moment is run, and counts no attempt
    await lease.consume(0)
    if (lease.acks.running > 0) {
      await lease.consume(places)
      return renewWhenIdle(lease, parts)
    }
  } catch {
    // a channel that does not answer is not worth keeping either
  }
  parts.renew()
  await lease.close()
}
