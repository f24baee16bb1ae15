import { ErrandError } from '../errors.js'
import { currentScope, type Scope } from '../core/context.js'
import { registry } from '../core/registry.js'
import type { Class, Task, TaskDeclaration } from '../core/task.js'
import { appState, callWithholder, settledAppState, workersLost, type AppState } from './app.js'
import { encodeCall, sendAndForget, sendAndWait, type EncodedCall } from './dispatch.js'
import { runInline } from './inline.js'
import type { TaskCall } from './task-call.js'

/** What becomes of a call. */
export type Placement =
  | { readonly kind: 'inline' }
  | { readonly kind: 'send'; readonly on: Running; readonly encoded: EncodedCall }

type Running = AppState & { readonly kind: 'on' }

/** What a decorated method does when it is called. */
export function callTask(declaration: TaskDeclaration, self: unknown, args: readonly unknown[]): unknown {
  const scope = currentScope()
  try {
    const call: TaskCall = { task: taskFor(declaration, self), self, args }
    if (scope?.intercept !== undefined) return scope.intercept(call)
    const placement = placeCall(call, scope)
    return placement instanceof Promise ? placement.then((placed) => carryOut(call, placed)) : carryOut(call, placement)
  } catch (error) {
    // a task is an async method: it rejects and never throws
    return Promise.reject(error)
  }
}

function carryOut(call: TaskCall, placement: Placement): unknown {
  if (placement.kind === 'inline') return runInline(call)
  const { on, encoded } = placement
  if (!call.task.declaration.options.result) return sendAndForget(on.runtime, call.task, encoded)
  const cause = workersLost()
  return cause === undefined ? sendAndWait(on.runtime, on.replies, call.task, encoded) : Promise.reject(nobodyAnswers(call.task.name, cause))
}

/**
 * Decides where the body runs, and encodes the call at once if it is to be sent: what its caller changes afterwards is not seen.
 * @throws ErrandError `VALUE_UNSERIALIZABLE`, `BROKER_CLOSED`, and what the start fails with
 */
export function placeCall(call: TaskCall, scope: Scope | undefined): Placement | Promise<Placement> {
  const withhold = scope?.task === undefined ? callWithholder() : undefined
  if (withhold !== undefined) {
    withhold(call)
    return new Promise(() => {}) // what stands behind an await of this call must not run
  }
  const state = appState()
  if (state.kind === 'off') return INLINE
  if (state.kind !== 'on') return placeWhenStarted(call, scope)
  return runsInline(state, scope) ? INLINE : { kind: 'send', on: state, encoded: encodeCall(call, scope) }
}

const INLINE: Placement = { kind: 'inline' }

/** Arguments that cannot travel matter only if the body does not run here. */
async function placeWhenStarted(call: TaskCall, scope: Scope | undefined): Promise<Placement> {
  const encoded = attempt(() => encodeCall(call, scope))
  const state = await settledAppState()
  if (state.kind === 'off' || (state.kind === 'on' && runsInline(state, scope))) return INLINE
  if (state.kind !== 'on') throw stopped(call.task.name)
  return { kind: 'send', on: state, encoded: encoded() }
}

/** Runs `fn` now and answers a function that gives its value, or throws what it threw. */
function attempt<T>(fn: () => T): () => T {
  try {
    const value = fn()
    return () => value
  } catch (error) {
    return () => {
      throw error
    }
  }
}

function runsInline(state: Running, scope: Scope | undefined): boolean {
  return scope?.context === undefined && state.runtime.settings.outsideRequest === 'inline'
}

/** The task of `declaration` for the object it was called on. */
function taskFor(declaration: TaskDeclaration, self: unknown): Task {
  if (declaration.kind === 'function') return registry.taskOf(declaration, undefined)
  const owner: unknown = declaration.kind === 'static' ? self : (self as object | null | undefined)?.constructor
  if (typeof owner !== 'function') {
    throw new ErrandError(
      'CALL_INVALID',
      `Cannot call the task "${declaration.member}" without its object. Call it as service.${declaration.member}(…), not through a bare reference.`,
    )
  }
  // `this` of a static method and the constructor of an instance are classes
  return registry.taskOf(declaration, owner as unknown as Class)
}

function nobodyAnswers(task: string, cause: ErrandError): ErrandError {
  return new ErrandError('WORKER_CRASH_LOOP', `Cannot get the result of ${task}, and it was not sent: no worker runs it. ${cause.message}`, { cause })
}

function stopped(task: string): ErrandError {
  return new ErrandError('BROKER_CLOSED', `Cannot send ${task}: errand was stopped in this process. Call start() again before calling tasks.`)
}
