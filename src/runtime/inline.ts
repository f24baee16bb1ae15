import { currentScope, runInScope } from '../core/context.js'
import { newId } from '../core/clock.js'
import { LazySignal } from './lazy-signal.js'
import type { TaskCall } from './task-call.js'

/** Runs the body here and now with the caller's own objects, as an undecorated method would. */
export function runInline(call: TaskCall): unknown {
  const scope = currentScope()
  const task = { id: newId(), name: call.task.name, attempt: 1, signal: new LazySignal() }
  return runInScope({ context: scope?.context, task }, () => call.task.declaration.body.apply(call.self, [...call.args]))
}
