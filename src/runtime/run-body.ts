import { restoreCarriers } from '../core/carrier.js'
import { currentScope, runInScope, type TaskScope } from '../core/context.js'
import type { OpenedCall } from '../core/message.js'
import { promised } from '../core/promised.js'
import { registry } from '../core/registry.js'
import { isReservedName } from '../core/reserved-name.js'
import type { Task } from '../core/task.js'
import { ErrandError } from '../errors.js'
import { runInHooks } from './around.js'
import { instanceFor } from './instances.js'

/** Runs the body of a task as whoever called it. */
export function runBody(task: Task, call: OpenedCall, scope: TaskScope): Promise<unknown> {
  const self = instanceFor(task)
  return self instanceof Promise ? self.then((instance) => runOn(instance, task, call, scope)) : runOn(self, task, call, scope)
}

function runOn(self: unknown, task: Task, call: OpenedCall, scope: TaskScope): Promise<unknown> {
  const args = call.readArguments()
  const body = (): Promise<unknown> => promised(() => task.declaration.body.apply(self, args))
  const info = { id: scope.id, task: scope.name, attempt: scope.attempt }
  // what this library does itself is no run of the application's, which may open a transaction around each
  if (isReservedName(task.name)) return runInScope({ context: call.context, task: scope }, body)
  const outside = currentScope()?.attached
  const run = (): Promise<unknown> => {
    const attached = currentScope()?.attached
    // what a carrier attached goes on, and nothing of the flow in which the message arrived
    return runInScope({ context: call.context, task: scope, attached: attached === outside ? undefined : attached }, () => runInHooks(body, info))
  }
  // hooks and carriers are the application's: what they answer may be no promise of the platform
  return promised(() => restoreCarriers(call.carriers, run))
}

/** The task of a call, as this process knows it. @throws ErrandError `TASK_UNKNOWN` */
export function taskOf(call: OpenedCall): Task {
  const task = registry.find(call.task)
  if (task !== undefined) return task
  const near = registry.nearestTo(call.task)
  throw new ErrandError(
    'TASK_UNKNOWN',
    `Cannot run ${call.task}: this worker knows no such task.${near === undefined ? '' : ` Did it become ${near}? Then give that one { aliases: ['${call.task}'] }.`} ` +
      'See whether "services" in the configuration names its module.',
  )
}
