import { ErrandError } from '../errors.js'
import { currentScope, runInScope, type Scope } from '../core/context.js'
import { newId } from '../core/clock.js'
import { registry } from '../core/registry.js'
import { resolveCallOptions, type CallOptions, type ResolvedCallOptions } from '../core/task-options.js'
import { placeCall } from './call.js'
import { sendWithHandle } from './dispatch.js'
import { createHandle, type TaskHandle } from './handle.js'
import { runInline } from './inline.js'
import { resolveOnce, type Join } from './keys/once.js'
import type { OneFlight } from './tracking/tracking.js'
import { OutcomeBox } from './outcome-box.js'
import type { TaskCall } from './task-call.js'
import type { TransactionClient } from '../core/transaction.js'
import { sourceOfBox } from './tracking/source.js'

/** A body that runs here has no configuration that says how long its result is waited for. */
const INLINE_RESULT_TIMEOUT_MS = 30_000

/** What may be said of one call that is made through `background()` or `enqueue()`. */
export interface SendOptions extends CallOptions {
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
  const { within, key, join, ...call } = options
  resolveCallOptions(call, undefined, 'background()')
  const once = resolveOnce('background()', { key, join })
  const proxy = new Proxy(service, {
    get(target, member) {
      // a promise chain that meets this object asks for `then`; there is none
      if (member === 'then' || typeof member === 'symbol') return undefined
      return async (...args: unknown[]) => {
        refuseNonTask(target, member)
        const method: unknown = Reflect.get(target, member)
        return intercepted(`background().${member}`, { ...call, within, once }, () => (typeof method === 'function' ? method.apply(target, args) : undefined))
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
export async function enqueue<R>(call: () => Promise<R>, { key, join, ...options }: SendOptions = {}): Promise<TaskHandle<R>> {
  return enqueueOnce(call, { ...options, once: resolveOnce('enqueue()', { key, join }) })
}

/** The same for a key that is resolved. */
export async function enqueueOnce<R>(call: () => Promise<R>, options: HeldSendOptions): Promise<TaskHandle<R>> {
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

/** Runs `call` with task calls held up, and sends the one it made. */
function intercepted(where: string, { within, once, ...options }: HeldSendOptions, call: () => unknown): Promise<TaskHandle<unknown>> {
  const calls: TaskCall[] = []
  let open = true
  const intercept = (made: unknown): unknown => {
    if (!open) throw new ErrandError('CALL_INVALID', `${where}: the function called a task after it had awaited something. Call the task first.`)
    calls.push(made as TaskCall) // the decorator hands over nothing else
    return new Promise(() => {}) // what stands behind an await of this call must not run
  }
  const scope = currentScope()
  const rest = runInScope({ context: scope?.context, task: scope?.task, intercept }, call)
  open = false
  // what the function does after its first await has no caller left that could hear of it
  Promise.resolve(rest).catch(() => {})
  const [first, second] = calls
  if (first === undefined || second !== undefined) {
    const why = first === undefined ? 'no task' : `${calls.length} tasks`
    throw new ErrandError('CALL_INVALID', `${where}: the function called ${why}; it must call exactly one, before it awaits anything.`)
  }
  const resolved = resolveCallOptions(options, first.task.declaration.options, where)
  return sendHeld(first, scope, { ...resolved, within, once })
}

interface HeldSendOptions extends Omit<SendOptions, 'key' | 'join'> {
  readonly once?: OneFlight | undefined
}

type HeldOptions = ResolvedCallOptions & Pick<HeldSendOptions, 'within' | 'once'>

async function sendHeld(call: TaskCall, scope: Scope | undefined, { within: client, once, ...options }: HeldOptions): Promise<TaskHandle<unknown>> {
  const placement = await placeCall(call, scope)
  if (placement.kind === 'inline') return inlineHandle(call)
  const { on, encoded } = placement
  const within = client === undefined ? encoded.within : { client, isOpen: true }
  return sendWithHandle(on.runtime, on.replies, call.task, { ...encoded, within, options, once })
}

/** A handle of a body that runs here; its failure waits for whoever asks for the result. */
function inlineHandle(call: TaskCall): TaskHandle<unknown> {
  const box = new OutcomeBox()
  Promise.resolve(runInline(call)).then(
    (value) => box.settle({ kind: 'completed', value }),
    (error: unknown) => box.settle({ kind: 'failed', error }),
  )
  const id = newId()
  const task = call.task.name
  return createHandle({ id, task, box, source: sourceOfBox(id, task, box, 'running'), timeoutMs: INLINE_RESULT_TIMEOUT_MS })
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
