import { currentScope, runInScope } from '../core/context.js'
import { newId } from '../core/clock.js'
import { lineLogger } from './default-logger.js'
import { LazySignal } from '../core/lazy-signal.js'
import type { TaskCall } from './task-call.js'

/** A body that runs here has no worker to log for it. */
export const INLINE_LOG = lineLogger('errand', 'info', process.stderr)

/** Runs the body here and now with the caller's own objects, as an undecorated method would. */
export function runInline(call: TaskCall): unknown {
  const scope = currentScope()
  const task = { id: newId(), name: call.task.name, attempt: 1, signal: new LazySignal(), log: INLINE_LOG }
  return runInScope({ context: scope?.context, task }, () => call.task.declaration.body.apply(call.self, [...call.args]))
}
