import { registry } from '../core/registry.js'
import type { RetryRule } from '../core/retry-policy.js'
import { RESERVED_NAMES } from '../core/reserved-name.js'
import type { Task, TaskBody, TaskDeclaration } from '../core/task.js'
import { resolveTaskOptions } from '../core/task-options.js'
import { callTask } from './call.js'

/** A task of this library itself, which every server can call and every worker can run. */
export interface BuiltIn<A extends readonly unknown[]> {
  /** After `errand.`. */
  readonly name: string
  readonly body: (...args: A) => Promise<void>
  readonly plan: NonNullable<RetryRule['plan']>
}

/** A built-in task that is known in this process. */
export interface BuiltInTask<A extends readonly unknown[]> {
  readonly task: Task
  readonly call: (...args: A) => Promise<void>
}

/** Makes a task known in this process. It runs without hooks, limits and checks of the application. */
export function declareBuiltIn<A extends readonly unknown[]>({ name, body, plan }: BuiltIn<A>): BuiltInTask<A> {
  const options = resolveTaskOptions({ isolation: 'inline', timeLimit: 0 }, name)
  const declaration: TaskDeclaration = Object.freeze({
    kind: 'function',
    member: name,
    options: Object.freeze({ ...options, name: `${RESERVED_NAMES}${name}`, retry: Object.freeze({ ...options.retry, plan }) }),
    body: body as unknown as TaskBody, // called with what the wrapper below was called with
    module: undefined,
    readParameterTypes: () => [],
  })
  const wrapper = (...args: A): Promise<void> => callTask(declaration, undefined, args) as Promise<void> // a task without a result
  registry.declare(declaration, wrapper)
  return { task: registry.taskOf(declaration, undefined), call: wrapper }
}
