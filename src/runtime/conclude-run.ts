import type { Verdict } from '../broker/broker.js'
import type { OpenedCall } from '../core/message.js'
import { settleCancelled } from './cancellation/settle-cancelled.js'
import { valueText } from './composition/call-end.js'
import { COME_AGAIN, followCall } from './composition/follow.js'
import type { RunEvents } from './run-events.js'
import type { Runtime } from './runtime.js'
import type { Answer } from './tracking/answer.js'
import type { TrackedRun } from './tracking/tracked-run.js'

export const DONE: Verdict = { kind: 'done' }

/** A body that ended well, and what its caller is told. */
export interface EndedRun {
  readonly call: OpenedCall
  /** `undefined` where nothing is kept of it. */
  readonly tracked: TrackedRun | undefined
  readonly answer: Answer | undefined
  readonly events: RunEvents
  /** Holds what its body answered, where the task has a result. */
  readonly result: { readonly value: unknown } | undefined
}

/**
 * Writes down the end of a body and, unless a cancellation came before it, does what follows: the answer to the caller, together with the
 * end where that can be, and what follows the call. It is no promise where nothing is waited for, and never rejects.
 */
export function concludeRun(runtime: Runtime, run: EndedRun): Verdict | Promise<Verdict> {
  const { call, tracked, answer, result } = run
  if (tracked !== undefined) return tracked.completed(result, answer).then((state) => (state === 'cancelled' ? settleCancelled(runtime, call) : followed(runtime, run)))
  if (answer !== undefined) return answer.send().catch(answer.unsent).then(() => followed(runtime, run))
  return followed(runtime, run)
}

function followed(runtime: Runtime, { call, events, result }: EndedRun): Verdict | Promise<Verdict> {
  events.completed()
  if (call.next === undefined) return DONE
  return followCall(runtime, call, { kind: 'completed', text: () => valueText(call, result?.value) }).then((isFollowed) => (isFollowed ? DONE : COME_AGAIN))
}
