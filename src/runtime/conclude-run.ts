import type { Verdict } from '../broker/broker.js'
import type { OpenedCall } from '../core/message.js'
import type { TaskState } from '../core/lifecycle.js'
import { sendAnswer } from './answers.js'
import { settleCancelled } from './cancellation/settle-cancelled.js'
import { valueText } from './composition/call-end.js'
import { COME_AGAIN, followCall } from './composition/follow.js'
import type { RunEvents } from './run-events.js'
import type { Runtime } from './runtime.js'

/** A body that ended well, and what its caller is told. */
export interface EndedRun {
  readonly call: OpenedCall
  readonly answer: Buffer | undefined
  readonly events: RunEvents
  /** What its body answered, where the task has a result. */
  readonly value: unknown
}

const DONE: Verdict = { kind: 'done' }

/** What follows the end of a body, once it is written down: that a cancellation came before it, or the answer to the caller and what follows the call. Never rejects. */
export async function concludeRun(runtime: Runtime, { call, answer, events, value }: EndedRun, recorded: Promise<TaskState | undefined> | undefined): Promise<Verdict> {
  if ((await recorded) === 'cancelled') return settleCancelled(runtime, call)
  events.completed()
  if (answer !== undefined) await sendAnswer(runtime, call, answer)
  if (call.next === undefined) return DONE
  const isFollowed = await followCall(runtime, call, { kind: 'completed', text: () => valueText(call, value) })
  return isFollowed ? DONE : COME_AGAIN
}
