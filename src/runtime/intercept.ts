import { currentScope, runInScope, type Scope } from '../core/context.js'
import { show } from '../core/options.js'
import { ErrandError } from '../errors.js'
import type { TaskCall } from './task-call.js'

/** A call that was held up, and the scope in which it would have been made. */
export interface Intercepted {
  readonly call: TaskCall
  readonly scope: Scope | undefined
}

/**
 * Runs `fn` with task calls held up, and answers the one that it made. `where` begins the message of a refusal.
 * @throws ErrandError `CALL_INVALID` where it is no function, or made none or two before it awaited anything, and what `fn` throws
 */
export function interceptCall(where: string, fn: () => unknown): Intercepted {
  if (typeof fn !== 'function') throw new ErrandError('CALL_INVALID', `${where} takes functions that each call one task, such as () => mail.send(bob), got ${show(fn)}.`)
  const calls: TaskCall[] = []
  let open = true
  const intercept = (made: unknown): unknown => {
    if (!open) throw new ErrandError('CALL_INVALID', `${where}: the function called a task after it had awaited something. Call the task first.`)
    calls.push(made as TaskCall) // the decorator hands over nothing else
    return new Promise(() => {}) // what stands behind an await of this call must not run
  }
  const scope = currentScope()
  const rest = runInScope({ context: scope?.context, task: scope?.task, intercept }, fn)
  open = false
  // what the function does after its first await has no caller left that could hear of it
  Promise.resolve(rest).catch(() => {})
  const [call, second] = calls
  if (call !== undefined && second === undefined) return { call, scope }
  const why = call === undefined ? 'no task' : `${calls.length} tasks`
  throw new ErrandError('CALL_INVALID', `${where}: the function called ${why}; it must call exactly one, before it awaits anything.`)
}
