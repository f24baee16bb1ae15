import type { TaskHandle } from '../handle.js'
import { interceptCall } from '../intercept.js'
import type { Follower } from '../task-call.js'
import { holdFollower } from './follower.js'
import { sendChain } from './send-held.js'

/** The handle of the last step of a chain. */
export interface ChainHandle<R> extends TaskHandle<R> {
  /** The handles of all steps, in order. */
  readonly steps: readonly TaskHandle<unknown>[]
}

/** What a step answers, also where its function has it sent with `enqueue()` or `background()`. */
export type StepResult<T> = T extends TaskHandle<infer R> ? R : T

type First<A> = () => Promise<A>
type Step<A, B> = (result: StepResult<A>) => Promise<B>
type Chained<R> = Promise<ChainHandle<StepResult<R>>>

/**
 * Sends tasks that run one after the other, each with the result of the one before: each function calls one task, and gets what stands for
 * that result, to be passed whole. All are called at once, so that everything is as it is now; nothing waits between the steps.
 *
 * When a step fails for good, those behind it do not run and have failed with `STEP_FAILED`; when it is cancelled, they are. `cancel()` of
 * the answer cancels all steps that have not ended.
 * @returns the handle of the last step, once the first would survive a crash
 * @throws ErrandError `CALL_INVALID`, `PLACEHOLDER_READ`, and what sending fails with
 * @example
 * const sent = await chain(() => shop.collect(2026), (rows) => shop.render(rows), (pdf) => mail.send(pdf))
 */
export function chain<A, B>(a: First<A>, b: Step<A, B>): Chained<B>
export function chain<A, B, C>(a: First<A>, b: Step<A, B>, c: Step<B, C>): Chained<C>
export function chain<A, B, C, D>(a: First<A>, b: Step<A, B>, c: Step<B, C>, d: Step<C, D>): Chained<D>
// oxlint-disable-next-line max-params -- as many as there are steps
export function chain<A, B, C, D, E>(a: First<A>, b: Step<A, B>, c: Step<B, C>, d: Step<C, D>, e: Step<D, E>): Chained<E>
// oxlint-disable-next-line max-params -- as many as there are steps
export function chain<A, B, C, D, E, F>(a: First<A>, b: Step<A, B>, c: Step<B, C>, d: Step<C, D>, e: Step<D, E>, f: Step<E, F>): Chained<F>
export async function chain(first: () => Promise<unknown>, ...rest: ((result: never) => Promise<unknown>)[]): Promise<ChainHandle<unknown>> {
  const { call, scope } = interceptCall('chain()', first)
  const steps = linked(rest.map((step) => holdFollower('chain()', { on: 'completed', call: step })))
  const options = call.options ?? call.task.declaration.options
  const followers = [...(call.followers ?? []), ...steps.slice(0, 1)]
  // the function of a follow-up calls it: whoever holds that up takes the whole chain, and the promise never resolves
  if (scope?.intercept !== undefined) return scope.intercept({ ...call, options, followers }) as Promise<never>
  return handleOfChain(await sendChain(call, scope, { options, followers, steps }))
}

/** The steps, each followed by the next. */
function linked(steps: readonly Follower[]): readonly Follower[] {
  return steps.reduceRight<readonly Follower[]>((behind, step) => [{ ...step, next: [...step.next, ...behind.slice(0, 1)] }, ...behind], [])
}

function handleOfChain(steps: readonly TaskHandle<unknown>[]): ChainHandle<unknown> {
  const backwards = steps.toReversed()
  const [last, ...before] = backwards as [TaskHandle<unknown>, ...TaskHandle<unknown>[]] // the first step was sent
  return {
    ...last,
    steps,
    cancel: async (options) => {
      const cancelled = await last.cancel(options)
      for (const step of before) await step.cancel(options)
      return cancelled
    },
  }
}
