import type { Firing } from './firings.js'
import type { TimelineParts } from './timeline.js'

export interface RecoveryParts extends TimelineParts {
  /** Messages that wait in the queue of a schedule. */
  readonly waitingIn: (queue: string) => Promise<number>
}

/** A message that has just been taken from its queue is known to run a moment later. */
const LOOK_AGAIN_MS = 1_000
/** One that waits behind others is there, as far as anybody can tell. */
const LOOKS = 30

/**
 * Sends what the leader before had claimed and, because it died that very moment, not sent: a firing that no worker has begun while
 * nothing waits in its queue, at two looks in a row. Answers a function that ends the looking.
 */
export function recover(parts: RecoveryParts): () => void {
  const { clock, log, plan } = parts
  let cancel = (): void => {}
  let isEnded = false
  let left = LOOKS
  const look = async (before: ReadonlySet<string>): Promise<void> => {
    const lost = await sendLost(parts, before).catch((error: unknown) => {
      log.debug(`Cannot see whether a firing of the schedule ${plan.name} was lost: ${String(error)}`)
      return before
    })
    if (isEnded || lost.size === 0 || --left === 0) return
    cancel = clock.after(LOOK_AGAIN_MS, () => void look(lost)) // never rejects
  }
  void look(new Set())
  return () => {
    isEnded = true
    cancel()
  }
}

/** Answers the ids of those that the next look may find lost. */
async function sendLost({ plan, firings, clock, log, send, waitingIn }: RecoveryParts, before: ReadonlySet<string>): Promise<ReadonlySet<string>> {
  const waiting = await firings.waiting(plan, clock.now())
  if (waiting.length === 0) return new Set()
  if ((await waitingIn(plan.task.declaration.options.queue)) > 0) return new Set([MAYBE])
  const lost = waiting.filter(({ id }: Firing) => before.has(id))
  for (const firing of lost) {
    log.warn(`Sends a firing of the schedule ${plan.name} that its last leader left unsent.`)
    await send(plan, firing)
  }
  return new Set(waiting.filter((firing) => !lost.includes(firing)).map(({ id }) => id))
}

/** No id: something waits, so it is looked again. */
const MAYBE = ''
