import { ErrandError } from '../../errors.js'
import { registry } from '../../core/registry.js'
import { resolveSchedule, type ConfiguredSchedule, type ResolvedSchedule } from '../../core/schedule/schedule.js'
import type { Task } from '../../core/task.js'
import { schedulesOf } from './every-task.js'

/** A schedule with its name and its task. */
export interface Plan extends Omit<ResolvedSchedule, 'name'> {
  readonly name: string
  readonly task: Task
}

/**
 * Every schedule of the tasks that are known by now, and of the configuration, by name.
 * @throws ErrandError `SERVICE_LOAD_FAILED` for an unknown task, or two schedules of one name
 */
export function plansOf(configured: readonly ConfiguredSchedule[]): readonly Plan[] {
  const plans = [...configured.map(planOf), ...scheduledTasks().flatMap((task) => schedulesOf(task.declaration).map((it) => named(it, task)))]
  const byName = new Map<string, Plan>()
  for (const plan of plans) {
    if (byName.has(plan.name)) throw sameName(plan, byName.get(plan.name))
    byName.set(plan.name, plan)
  }
  return [...byName.values()].toSorted((one, other) => (one.name < other.name ? -1 : 1))
}

const named = (schedule: ResolvedSchedule, task: Task): Plan => ({ ...schedule, name: schedule.name ?? task.name, task })

function planOf({ task: name, ...rest }: ConfiguredSchedule): Plan {
  const task = registry.find(name)
  if (task !== undefined) return named(resolveSchedule(rest, `The schedule of "${name}" in the configuration:`), task)
  const near = registry.nearestTo(name)
  throw new ErrandError(
    'SERVICE_LOAD_FAILED',
    `The configuration schedules the task "${name}", which no loaded module declares. ` +
      (near === undefined ? 'Correct "task" under "schedules".' : `Did you mean "${near}"? Correct "task" under "schedules".`),
  )
}

/** Tasks with a schedule; of a class and its subclasses only those that nothing is derived from: the others are what these inherit. */
function scheduledTasks(): readonly Task[] {
  const found = [...new Set(registry.names().map((name) => registry.find(name)))].filter((task) => task !== undefined)
  const scheduled = found.filter((task) => schedulesOf(task.declaration).length > 0)
  return scheduled.filter((task) => !scheduled.some((other) => inherits(other, task)))
}

const inherits = ({ declaration, owner }: Task, from: Task): boolean =>
  declaration === from.declaration && owner !== undefined && from.owner !== undefined && owner.prototype instanceof from.owner

function sameName(one: Plan, other: Plan | undefined): ErrandError {
  return new ErrandError(
    'SERVICE_LOAD_FAILED',
    `Two schedules are called "${one.name}": ${one.words} for ${one.task.name}, and ${other?.words ?? 'another'}. Give one of them { name: '…' }.`,
  )
}
