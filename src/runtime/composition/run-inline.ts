import { newTaskId } from '../../core/clock.js'
import type { Outcome } from '../../core/message.js'
import { createHandle, type TaskHandle } from '../handle.js'
import { INLINE_LOG, runInline } from '../inline.js'
import { OutcomeBox } from '../outcome-box.js'
import type { Follower, TaskCall } from '../task-call.js'
import { traceOf } from '../trace.js'
import { sourceOfBox } from '../tracking/source.js'
import { asError, stepFailed } from './step-failed.js'
import type { Ended } from './follower.js'
import { fillIn } from './placeholder.js'

/** A body that runs here has no configuration that says how long its result is waited for. */
const INLINE_RESULT_TIMEOUT_MS = 30_000

/** A call that runs here, and what follows it. */
export interface HeldInline {
  readonly handle: TaskHandle<unknown>
  /** The handles of what follows, by their ids. */
  readonly followers: ReadonlyMap<string, TaskHandle<unknown>>
}

/** Runs a body here and now, and after it what follows; failures wait for whoever asks for the results. */
export function runHeldInline(call: TaskCall, followers: readonly Follower[], id = newTaskId()): HeldInline {
  const box = new OutcomeBox()
  const boxes = new Map<string, OutcomeBox>()
  const handles = new Map<string, TaskHandle<unknown>>()
  for (const { id, call: later } of allOf(followers)) {
    const own = new OutcomeBox()
    boxes.set(id, own)
    handles.set(id, inlineHandle(id, later.task.name, own))
  }
  const tell = (id: string, outcome: Outcome): void => boxes.get(id)?.settle(outcome)
  void settleInline(call, (outcome) => box.settle(outcome)).then((outcome) => runFollowers(followers, { id, task: call.task.name, outcome }, tell))
  return { handle: inlineHandle(id, call.task.name, box), followers: handles }
}

/** The handle of a task whose body runs here. */
export function inlineHandle(id: string, task: string, box: OutcomeBox): TaskHandle<unknown> {
  return createHandle({ id, task, box, source: sourceOfBox(id, task, box, 'running'), timeoutMs: INLINE_RESULT_TIMEOUT_MS })
}

const allOf = (followers: readonly Follower[]): readonly Follower[] => followers.flatMap((follower) => [follower, ...allOf(follower.next)])

/** A body that has ended here. */
export interface EndedInline {
  readonly id: string
  readonly task: string
  readonly outcome: Outcome
}

/** Runs what follows, one after the other. Never rejects. */
export async function runFollowers(followers: readonly Follower[], before: EndedInline, tell: (id: string, outcome: Outcome) => void): Promise<void> {
  for (const follower of followers) {
    const { id, call, on, next } = follower
    const task = call.task.name
    const given = givenTo(on, before)
    if (given !== undefined) {
      const outcome = await settleInline({ ...call, args: fillIn(call.args, follower.placeholder.stand, given.value) }, (told) => tell(id, told))
      if (outcome.kind === 'failed') INLINE_LOG.error(`${task} failed: ${traceOf(outcome.error)}`)
      await runFollowers(next, { id, task, outcome }, tell)
    } else if (on === 'completed' && before.outcome.kind === 'failed') {
      const outcome: Outcome = { kind: 'failed', error: stepFailed(task, before, before.outcome.error) }
      tell(id, outcome)
      await runFollowers(next, { id, task, outcome }, tell)
    }
  }
}

/** Runs the body, and tells its outcome before anything that follows it. */
export async function settleInline(call: TaskCall, tell: (outcome: Outcome) => void): Promise<Outcome> {
  let outcome: Outcome
  try {
    outcome = { kind: 'completed', value: await runInline(call) }
  } catch (error) {
    outcome = { kind: 'failed', error }
  }
  tell(outcome)
  return outcome
}

/** What a follow-up is given; `undefined` where it does not run. */
function givenTo(on: Follower['on'], { id, task, outcome }: EndedInline): { readonly value: unknown } | undefined {
  if (on === 'ended') {
    const ended: Ended = outcome.kind === 'completed' ? { id, task, state: 'completed', value: outcome.value } : { id, task, state: 'failed', error: asError(task, outcome.error) }
    return { value: ended }
  }
  if (on !== outcome.kind) return undefined
  return { value: outcome.kind === 'completed' ? outcome.value : asError(task, outcome.error) }
}
