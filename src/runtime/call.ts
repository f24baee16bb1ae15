import { ErrandError } from '../errors.js'
import { currentScope, type Scope } from '../core/context.js'
import { registry } from '../core/registry.js'
import type { Class, Task, TaskDeclaration } from '../core/task.js'
import { appState, settledAppState, type AppState } from './app.js'
import { encodeCall, sendAndForget, sendAndWait, type EncodedCall } from './dispatch.js'
import { runInline } from './inline.js'

/** A call of a task, before it is decided what becomes of it. */
export interface TaskCall {
  readonly task: Task
  readonly self: unknown
  readonly args: readonly unknown[]
}

/** What a decorated method does when it is called. */
export function callTask(declaration: TaskDeclaration, self: unknown, args: readonly unknown[]): unknown {
  const call: TaskCall = { task: taskFor(declaration, self), self, args }
  const scope = currentScope()
  if (scope?.intercept !== undefined) return scope.intercept(call)
  const state = appState()
  if (state.kind === 'off' || (state.kind === 'on' && runsInline(state, scope))) return runInline(call)
  try {
    const encoded = encodeCall(call, scope)
    return state.kind === 'on' ? sendCall(state, call, encoded) : callWhenStarted(call, encoded, scope)
  } catch (error) {
    return state.kind === 'on' || state.kind === 'stopped' ? Promise.reject(asError(error)) : callUnencodable(call, error)
  }
}

function sendCall(state: AppState & { kind: 'on' }, call: TaskCall, encoded: EncodedCall): Promise<unknown> {
  return call.task.declaration.options.result
    ? sendAndWait(state.runtime, state.replies, call.task, encoded)
    : sendAndForget(state.runtime, call.task, encoded)
}

/** The call was encoded already: what its caller changes meanwhile is not seen. */
async function callWhenStarted(call: TaskCall, encoded: EncodedCall, scope: Scope | undefined): Promise<unknown> {
  const state = await settledAppState()
  if (state.kind === 'off') return runInline(call)
  if (state.kind !== 'on') throw stopped(call.task.name)
  return runsInline(state, scope) ? runInline(call) : sendCall(state, call, encoded)
}

/** Arguments that cannot travel are no failure where the body runs here. */
async function callUnencodable(call: TaskCall, error: unknown): Promise<unknown> {
  const state = await settledAppState()
  if (state.kind === 'off') return runInline(call)
  throw asError(error)
}

/** @throws ErrandError `OUTSIDE_REQUEST` */
function runsInline(state: AppState & { kind: 'on' }, scope: Scope | undefined): boolean {
  return scope?.context === undefined && state.runtime.settings.outsideRequest === 'inline'
}

/** The task of `declaration` for the object it was called on. */
export function taskFor(declaration: TaskDeclaration, self: unknown): Task {
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

export function stopped(task: string): ErrandError {
  return new ErrandError('BROKER_CLOSED', `Cannot send ${task}: errand was stopped in this process. Call start() again before calling tasks.`)
}

// an encoder throws errors only; this satisfies the type
const asError = (error: unknown): Error => error as Error
