import { ErrandError } from '../errors.js'
import { registry } from '../core/registry.js'
import { resolveCallOptions, type CallOptions } from '../core/task-options.js'
import { holdFollowers, type Following } from './composition/follower.js'
import { sendHeld } from './composition/send-held.js'
import type { TaskHandle } from './handle.js'
import { interceptCall } from './intercept.js'
import { resolveOnce, type Join } from './keys/once.js'
import type { OneFlight } from './tracking/tracking.js'
import type { TransactionClient } from '../core/transaction.js'

/** A function that calls one task; as a method is, so that options of no call in particular fit every call. */
export type FollowUpCall<A> = { call(outcome: A): Promise<unknown> }['call']

/** What may be said of one call that is made through `background()` or `enqueue()`. */
export interface SendOptions<R = never> extends CallOptions {
  /**
   * The call is sent when this transaction of the application commits, and never when it does not; needs the key `database`.
   * @defaultValue sent at once, or within the transaction of `withTransaction()`
   */
  readonly within?: TransactionClient | undefined
  /**
   * A text of 1 to 512 characters that stands for the work: while a task that was called with it has not ended, in whichever process,
   * none is started, and the answer is the handle of that one (`isNew` is `false`). Needs a store. @defaultValue each call starts a task
   */
  readonly key?: string | undefined
  /**
   * Which tasks of the same key are joined: those that have not ended, or also those that completed, for as long as their results are
   * kept (`keep`). @defaultValue 'running'
   */
  readonly join?: Join | undefined
  /**
   * Calls the task that follows when this one has completed; it gets what stands for the result, to be passed whole. It is called at once
   * and sent by the worker: `then: (report) => mail.send(report)`. Options of that call: `(report) => enqueue(() => mail.send(report), { delay: '1h' })`.
   */
  readonly then?: FollowUpCall<R> | undefined
  /** The same for the task that follows when this one has failed for good; it gets what stands for the error. */
  readonly onFailed?: FollowUpCall<Error> | undefined
}

/** The tasks of a service, each answering a handle instead of waiting. */
export type Background<S> = {
  // oxlint-disable-next-line no-explicit-any -- inferring a method's parameters needs it; nothing is typed any
  readonly [K in keyof S as S[K] extends (...args: any[]) => Promise<unknown> ? K : never]: S[K] extends (
    ...args: infer A
  ) => Promise<infer R>
    ? (...args: A) => Promise<TaskHandle<R>>
    : never
}

/**
 * Calls of `service` that never wait for the body: each resolves with a {@link TaskHandle} once the message would survive a crash.
 * `options` hold for the calls made through the answer and win over those of the task.
 *
 * With `withAsync: false` the body runs here and now; delay and queue mean nothing then.
 * @throws ErrandError `OPTION_INVALID` at once; a call rejects with `NOT_A_TASK` or what sending fails with
 * @example
 * const task = await background(mail, { delay: '10m' }).report(2026)
 * const report = await task.result({ timeout: '1h' })
 */
export function background<S extends object>(service: S, options: SendOptions = {}): Background<S> {
  const { within, key, join, then, onFailed, ...call } = options
  resolveCallOptions(call, undefined, 'background()')
  const once = resolveOnce('background()', { key, join })
  const proxy = new Proxy(service, {
    get(target, member) {
      // a promise chain that meets this object asks for `then`; there is none
      if (member === 'then' || typeof member === 'symbol') return undefined
      return async (...args: unknown[]) => {
        refuseNonTask(target, member)
        const method: unknown = Reflect.get(target, member)
        return intercepted(`background().${member}`, { ...call, within, once, then, onFailed }, () => (typeof method === 'function' ? method.apply(target, args) : undefined))
      }
    },
  })
  // the proxy answers every member with a function that answers a handle
  return proxy as unknown as Background<S>
}

/**
 * Sends the one task call that `call` makes, and answers its handle instead of waiting: `enqueue(() => mail.report(2026), { delay: '10m' })`.
 * `call` must call exactly one task, before it awaits anything.
 * @throws ErrandError `CALL_INVALID` when it calls none or two, `OPTION_INVALID`, and what sending fails with
 */
export async function enqueue<R>(call: () => Promise<R>, { key, join, ...options }: SendOptions<NoInfer<R>> = {}): Promise<TaskHandle<R>> {
  return enqueueOnce(call, { ...options, once: resolveOnce('enqueue()', { key, join }) })
}

/** The same for a key that is resolved, and for calls that follow any end (`following`). */
export async function enqueueOnce<R>(call: () => Promise<R>, options: HeldSendOptions<NoInfer<R>>): Promise<TaskHandle<R>> {
  const handle = await intercepted('enqueue()', options, call)
  return handle as TaskHandle<R> // the one call that was made decides R
}

/**
 * Sends a task function chosen at run time: `perform(sendSms, '+33…', 'hi')`. Answers its handle once the message would survive a crash.
 * @throws ErrandError `NOT_A_TASK`, `CALL_INVALID` for a method (use `background(service)`), and what sending fails with
 */
export async function perform<A extends unknown[], R>(fn: (...args: A) => Promise<R>, ...args: A): Promise<TaskHandle<R>> {
  const declaration = registry.declarationOf(fn)
  if (declaration === undefined) throw notATask(`perform() got ${describe(fn)}, which`)
  const handle = await intercepted('perform()', {}, () => fn(...args))
  return handle as TaskHandle<R> // as above
}

/**
 * The undecorated body: called, it runs here, now, in this process, and answers its own value.
 * `await original(mail, 'report')(2026)`, or `original(sendSms)` for a function.
 * @throws ErrandError `NOT_A_TASK`
 */
export function original<S extends object, K extends keyof S>(service: S, member: K): S[K]
export function original<F extends (...args: never[]) => unknown>(task: F): F
export function original(service: object, member?: PropertyKey): unknown {
  const candidate: unknown = member === undefined ? service : Reflect.get(service, member)
  const declaration = registry.declarationOf(candidate)
  if (declaration === undefined) throw notATask(`original() got ${member === undefined ? describe(service) : `"${String(member)}"`}, which`)
  return (...args: unknown[]) => declaration.body.apply(member === undefined ? undefined : service, args)
}

/** Sends the one task call that `call` makes, with what follows it; or hands both to whoever holds up calls here. */
async function intercepted(where: string, { id, within, once, then, onFailed, following = [], ...options }: HeldSendOptions, call: () => unknown): Promise<TaskHandle<unknown>> {
  const { call: first, scope } = interceptCall(where, call)
  const resolved = resolveCallOptions(options, first.options ?? first.task.declaration.options, where)
  const followers = [...(first.followers ?? []), ...holdFollowers(where, [...followingOf({ then, onFailed }), ...following])]
  if (once !== undefined && followers.length > 0) {
    throw new ErrandError('CALL_INVALID', `${where}: nothing can follow a call with a key, which may join a task that was called before. Leave the key out, or what follows.`)
  }
  if (scope?.intercept === undefined) return sendHeld(first, scope, { id, options: resolved, followers, within, once })
  if (once !== undefined || within !== undefined) {
    throw new ErrandError('CALL_INVALID', `${where}: a call that follows another can have neither a key nor a transaction. Leave "key" and "within" out.`)
  }
  return scope.intercept({ ...first, options: resolved, followers }) as Promise<never> // it never resolves
}

/** What `then` and `onFailed` say. */
function followingOf({ then, onFailed }: Pick<SendOptions, 'then' | 'onFailed'>): readonly Following[] {
  return [...(then === undefined ? [] : [{ on: 'completed', call: then } as const]), ...(onFailed === undefined ? [] : [{ on: 'failed', call: onFailed } as const])]
}

/** {@link SendOptions} with a key that is resolved, an id that was chosen, and any list of calls that follow. */
export interface HeldSendOptions<R = never> extends Omit<SendOptions<R>, 'key' | 'join'> {
  /** @defaultValue a new one */
  readonly id?: string | undefined
  readonly once?: OneFlight | undefined
  /** Calls that follow, beside those of `then` and `onFailed`. @defaultValue [] */
  readonly following?: readonly Following[] | undefined
}

function refuseNonTask(service: object, member: string): void {
  if (registry.isTaskMember(service, member)) return
  throw notATask(`"${member}" of ${service.constructor?.name ?? 'this object'}`)
}

function notATask(what: string): ErrandError {
  return new ErrandError('NOT_A_TASK', `${what} is not a task. Put @asyncTask() on it, or wrap the function with asyncTask(fn).`)
}

function describe(value: unknown): string {
  if (typeof value !== 'function') return 'a value'
  return value.name === '' ? 'an anonymous function' : `"${value.name}"`
}
