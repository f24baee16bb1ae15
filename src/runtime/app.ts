import type { ErrandError } from '../errors.js'
import { processState } from '../core/process-state.js'
import type { Replies } from './replies.js'
import type { Runtime } from './runtime.js'
import type { TaskCall } from './task-call.js'

/** What this process does with calls of tasks. */
export type AppState =
  /** Nobody has asked yet; the first call starts it. */
  | { readonly kind: 'idle' }
  | { readonly kind: 'starting'; readonly ready: Promise<void> }
  /** `withAsync: false` or no configuration: bodies run here. */
  | { readonly kind: 'off' }
  | { readonly kind: 'on'; readonly runtime: Runtime; readonly replies: Replies }
  | { readonly kind: 'stopped' }

const app = processState('app', () => ({
  state: { kind: 'idle' } as AppState,
  autoStart: undefined as (() => Promise<unknown>) | undefined,
  workersLost: undefined as ErrandError | undefined,
  withhold: undefined as ((call: TaskCall) => void) | undefined,
}))

/** What holds now. */
export const appState = (): AppState => app.state

/** Only `start()`, the worker and the testing kit change it. */
export function setAppState(state: AppState): void {
  app.state = state
  app.workersLost = undefined
}

/** Says that nothing runs the tasks of this process, until its state is set again. */
export function setWorkersLost(error: ErrandError): void {
  app.workersLost = error
}

/** Why nothing runs the tasks of this process; `undefined` when something may. */
export const workersLost = (): ErrandError | undefined => app.workersLost

/** What a call does first when nobody has called `start()`. */
export function setAutoStart(start: () => Promise<unknown>): void {
  app.autoStart = start
}

/** Until it is called with `undefined`, `withhold` gets the calls made outside of any task, and they are neither sent nor settled. */
export function withholdCalls(withhold: ((call: TaskCall) => void) | undefined): void {
  app.withhold = withhold
}

/** What gets the calls made outside of any task, instead of the broker. */
export const callWithholder = (): ((call: TaskCall) => void) | undefined => app.withhold

/** Resolves when the state is no longer `idle` or `starting`. @throws what the start failed with */
export async function settledAppState(): Promise<AppState> {
  if (app.state.kind === 'idle') await app.autoStart?.()
  if (app.state.kind === 'starting') await app.state.ready
  return app.state
}
