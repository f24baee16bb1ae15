import type { Scope } from '../../core/context.js'
import type { ResolvedCallOptions } from '../../core/task-options.js'
import type { TransactionClient } from '../../core/transaction.js'
import { placeCall } from '../call.js'
import { handleOfSent, resultTimeoutOf, sendWithHandle } from '../dispatch.js'
import type { TaskHandle } from '../handle.js'
import { OutcomeBox } from '../outcome-box.js'
import type { Replies } from '../replies.js'
import type { Runtime } from '../runtime.js'
import type { Follower, TaskCall } from '../task-call.js'
import type { OneFlight } from '../tracking/tracking.js'
import { followUpsOf } from './follower.js'
import { runHeldInline } from './run-inline.js'

/** What is said of a call that was held up. */
export interface HeldCall {
  /** @defaultValue a new one */
  readonly id?: string | undefined
  readonly options: ResolvedCallOptions
  readonly followers: readonly Follower[]
  readonly within?: TransactionClient | undefined
  readonly once?: OneFlight | undefined
}

/** Sends a call that was held up, with what follows it; or runs it here, where calls run where they are made. */
export async function sendHeld(call: TaskCall, scope: Scope | undefined, { id, within: client, once, options, followers }: HeldCall): Promise<TaskHandle<unknown>> {
  const placement = await placeCall(call, scope)
  if (placement.kind === 'inline') return runHeldInline(call, followers, id).handle
  const { on, encoded } = placement
  const within = client === undefined ? encoded.within : { client, isOpen: true }
  return sendWithHandle(on.runtime, on.replies, call.task, { ...encoded, id, within, options, once, next: followUpsOf(followers) })
}

/** The same for calls each of which follows the one before; answers the handles of all. */
export async function sendChain(call: TaskCall, scope: Scope | undefined, { options, followers, steps }: HeldCall & { readonly steps: readonly Follower[] }): Promise<readonly TaskHandle<unknown>[]> {
  const placement = await placeCall(call, scope)
  if (placement.kind === 'inline') {
    const inline = runHeldInline(call, followers)
    return [inline.handle, ...steps.flatMap(({ id }) => inline.followers.get(id) ?? [])]
  }
  const { runtime, replies } = placement.on
  const waitMs = resultTimeoutOf(runtime, call.task) + options.delayMs
  const expected = await expectOutcomes(runtime, replies, { steps, waitMs })
  try {
    const next = followUpsOf(followers, (id) => (expected.ids.has(id) ? replies.address : undefined))
    const first = await sendWithHandle(runtime, replies, call.task, { ...placement.encoded, options, next })
    return [first, ...expected.handles]
  } catch (error) {
    expected.forget()
    throw error
  }
}

/** Handles of calls that are yet to be sent. */
export interface ExpectedCalls {
  readonly ids: ReadonlySet<string>
  readonly handles: readonly TaskHandle<unknown>[]
  readonly forget: () => void
}

/** Waits for the outcomes of `steps`, one after the other; the first of them is sent after `waitMs` at most. */
export async function expectOutcomes(runtime: Runtime, replies: Replies, { steps, waitMs }: { readonly steps: readonly Follower[]; readonly waitMs: number }): Promise<ExpectedCalls> {
  let timeoutMs = waitMs
  const forgets: (() => void)[] = []
  const handles: TaskHandle<unknown>[] = []
  for (const { id, call, options } of steps) {
    const box = new OutcomeBox()
    timeoutMs += resultTimeoutOf(runtime, call.task) + options.delayMs
    forgets.push(await replies.expect(id, (outcome) => box.settle(outcome)))
    handles.push(handleOfSent(runtime, call.task, { id, box, timeoutMs }))
  }
  return { ids: new Set(steps.map(({ id }) => id)), handles, forget: () => forgets.forEach((forget) => forget()) }
}
