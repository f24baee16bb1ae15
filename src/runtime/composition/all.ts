import { memberId } from '../../core/follow-up.js'
import { ErrandError } from '../../errors.js'
import { enqueue } from '../background.js'
import type { TaskHandle } from '../handle.js'
import { interceptCall, type Intercepted } from '../intercept.js'
import type { StepResult } from './chain.js'
import { holdFollower } from './follower.js'
import { sendGroup } from './send-group.js'

type Member = () => Promise<unknown>

/** The handle of the task that follows a group. */
export interface AllHandle<R, M extends readonly unknown[] = readonly unknown[]> extends TaskHandle<R> {
  /** The handles of the members, in their order. */
  readonly members: { readonly [K in keyof M]: TaskHandle<M[K]> }
}

/** What the members of a group answer. */
export type GroupResults<M extends readonly Member[]> = {
  -readonly [K in keyof M]: M[K] extends () => Promise<infer R> ? StepResult<R> : never
}

/**
 * Sends tasks that run side by side, and one that runs when all of them have completed: it gets what stands for the list of their results,
 * in their order, to be passed whole. As with `Promise.all`, the first member that fails for good decides: the follow-up never runs and has
 * failed with its error, while the other members go on. `cancel()` of the answer cancels the members that have not ended.
 * @returns the handle of the follow-up, once all members would survive a crash
 * @throws ErrandError `CALL_INVALID` also where nothing is kept of how tasks stand (`store: off`, `track: false`) or a member has
 * `resultOnce`; `PLACEHOLDER_READ`, `STORE_UNREACHABLE`, and what sending fails with: then members that were sent are cancelled
 * @example
 * const total = await all([() => shop.price('a'), () => shop.price('b')], (prices) => shop.sum(prices))
 */
export async function all<const M extends readonly Member[], R>(
  members: M,
  then: (results: GroupResults<M>) => Promise<R>,
): Promise<AllHandle<StepResult<R>, GroupResults<M>>> {
  const held = members.map((member) => interceptCall('all()', member))
  // the two functions decide what the handles answer
  if (held.length === 0) return { ...(await enqueue(() => then([] as never))), members: [] } as unknown as AllHandle<StepResult<R>, GroupResults<M>>
  const follower = holdFollower('all()', { on: 'completed', call: then })
  for (const one of held) refuseHeld(one)
  const sent = await sendGroup(held.map(({ call }, index) => ({ id: memberId(follower.id, index), call })), held[0]?.scope, follower)
  return { ...sent.followUp, members: sent.members } as unknown as AllHandle<StepResult<R>, GroupResults<M>>
}

function refuseHeld({ scope }: Intercepted): void {
  if (scope?.intercept === undefined) return
  throw new ErrandError('CALL_INVALID', 'all() cannot follow another task: its members would have to be sent by the worker. Call it inside of a task that follows.')
}
