import { newId } from '../../core/clock.js'
import type { Outcome } from '../../core/message.js'
import type { TaskHandle } from '../handle.js'
import { OutcomeBox } from '../outcome-box.js'
import type { Follower, TaskCall } from '../task-call.js'
import { inlineHandle, runFollowers, settleInline } from './run-inline.js'

/** A member of a group, before it is sent. */
export interface HeldMember {
  readonly id: string
  readonly call: TaskCall
}

/** A group that was sent. */
export interface SentGroup {
  readonly followUp: TaskHandle<unknown>
  readonly members: readonly TaskHandle<unknown>[]
}

/** Runs the members of a group here, one after the other, and then what follows them. */
export function runGroupInline(members: readonly HeldMember[], follower: Follower): SentGroup {
  const boxes = members.map(() => new OutcomeBox())
  const own = new OutcomeBox()
  void runGroup(members, follower, (index, outcome) => (index === undefined ? own : boxes[index])?.settle(outcome))
  return {
    followUp: inlineHandle(follower.id, follower.call.task.name, own),
    members: members.map(({ id, call }, index) => inlineHandle(id, call.task.name, boxes[index] ?? own)),
  }
}

/** `tell` gets the outcome of a member with its index, and that of the follow-up without. */
async function runGroup(members: readonly HeldMember[], follower: Follower, tell: (index: number | undefined, outcome: Outcome) => void): Promise<void> {
  const values: unknown[] = []
  let failure: Outcome | undefined
  for (const [index, { call }] of members.entries()) {
    const outcome = await settleInline(call, (told) => tell(index, told))
    await runFollowers(call.followers ?? [], { id: newId(), task: call.task.name, outcome }, () => {})
    if (outcome.kind === 'completed') values.push(outcome.value)
    else failure ??= outcome
  }
  const { id, call, next } = follower
  const task = call.task.name
  if (failure === undefined) {
    return runFollowers([follower], { id, task: 'all()', outcome: { kind: 'completed', value: values } }, (told, outcome) => void (told === id && tell(undefined, outcome)))
  }
  tell(undefined, failure)
  await runFollowers(next, { id, task, outcome: failure }, () => {})
}
