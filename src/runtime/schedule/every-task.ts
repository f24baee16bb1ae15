import { ErrandError } from '../../errors.js'
import { processState } from '../../core/process-state.js'
import { registry } from '../../core/registry.js'
import { resolveSchedule, type ResolvedSchedule, type ScheduleOptions } from '../../core/schedule/schedule.js'
import type { TaskDeclaration } from '../../core/task.js'
import { asyncTask } from '../decorator.js'
import type { VoidTaskDecorator } from '../decorator-types.js'

/** What `@everyTask` said of each declared task. */
const declared = processState('schedules', () => new Map<TaskDeclaration, ResolvedSchedule[]>())

/** The schedules that stand at a task. */
export const schedulesOf = (declaration: TaskDeclaration): readonly ResolvedSchedule[] => declared.get(declaration) ?? []

/** The type of `everyTask`: a factory of decorators, and a wrapper of plain functions. */
export interface EveryTask {
  /** `everyTask(fn, { cron: '0 6 * * 1' })`; `fn` may be a task already. */
  <A extends unknown[]>(fn: (...args: A) => Promise<void>, options: ScheduleOptions): (...args: A) => Promise<void>
  /** `@everyTask({ every: '15m' })` */
  (options: ScheduleOptions): VoidTaskDecorator
}

/**
 * Makes a method (or a plain function) a task that runs by itself at certain times, once each, however many workers there are. It
 * can be called as well. Options of the task stand in an `@asyncTask({ … })` below it. Several `@everyTask` on one method, each with
 * a name, are as many schedules.
 *
 * A firing is an ordinary message: retries, limits, time limits and dead letters hold for it.
 * @throws ErrandError `OPTION_INVALID`, `DECORATOR_MISUSED` where it stands
 * @example
 * class Reports {
 *   @everyTask({ cron: '0 6 * * 1', timezone: 'Europe/Rome' })
 *   async weekly(): Promise<void> { … }
 * }
 * const tidy = everyTask(async function tidy() { … }, { every: '15m' })
 */
// the overloads of EveryTask describe exactly the argument shapes that `enter` tells apart
export const everyTask: EveryTask = enter as unknown as EveryTask

/** A decorator of either dialect, as it is called by the compiled code. */
type AnyDecorator = (target: unknown, key: unknown, descriptor: unknown) => unknown

function enter(first: unknown, second?: unknown): unknown {
  if (typeof first === 'function') return everyFunction(first, second)
  const schedule = resolveSchedule(optionsFrom(first))
  return (target: unknown, key: unknown, descriptor: unknown) => {
    // the legacy dialect hands over a descriptor, the standard one the method itself
    const known = registry.declarationOf(methodIn(descriptor) ?? target)
    if (known !== undefined) return add(known, schedule)
    // both dialects end in the one door of tasks, which refuses what is no method
    const result = (asyncTask() as unknown as AnyDecorator)(target, key, descriptor)
    add(registry.declarationOf(methodIn(result) ?? result), schedule)
    return result
  }
}

const methodIn = (descriptor: unknown): unknown => (typeof descriptor === 'object' && descriptor !== null ? Reflect.get(descriptor, 'value') : undefined)

function everyFunction(fn: object, options: unknown): unknown {
  const schedule = resolveSchedule(optionsFrom(options), 'everyTask()')
  const task = registry.declarationOf(fn) === undefined ? asyncTask(fn as () => Promise<void>) : fn // the overload says so
  add(registry.declarationOf(task), schedule)
  return task
}

function add(declaration: TaskDeclaration | undefined, schedule: ResolvedSchedule): void {
  if (declaration !== undefined) declared.set(declaration, [...schedulesOf(declaration), schedule])
}

function optionsFrom(given: unknown): ScheduleOptions {
  if (typeof given === 'object' && given !== null) return given // each key is checked by resolveSchedule
  throw new ErrandError('OPTION_INVALID', `@everyTask needs to know when: @everyTask({ cron: '0 6 * * 1' }) or @everyTask({ every: '15m' }).`)
}
