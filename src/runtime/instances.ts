import { ErrandError } from '../errors.js'
import { processState } from '../core/process-state.js'
import type { Class, Task } from '../core/task.js'

/** Answers the instance of a class, as a dependency container does; `undefined` when it has none. */
export type InstanceResolver = (owner: Class) => object | undefined | Promise<object | undefined>

interface Found {
  readonly instance: object
  /** Module and export, for messages. */
  readonly where: string
}

const state = processState('instances', () => ({
  exported: new Map<object, Found[]>(),
  made: new WeakMap<object, object>(),
  resolver: undefined as InstanceResolver | undefined,
}))

/** Asks `resolver` first for the `this` of every run. */
export function setInstanceResolver(resolver: InstanceResolver | undefined): void {
  state.resolver = resolver
}

/** Remembers an exported instance; `where` names module and export. */
export function noteInstance(instance: object, where: string): void {
  const known = state.exported.get(instance.constructor) ?? []
  if (known.some((found) => found.instance === instance)) return
  state.exported.set(instance.constructor, [...known, { instance, where }])
}

/**
 * The `this` of a run: for a method what the container has, else the one exported instance of its class, else a new one when its
 * constructor takes nothing; for a static method the class; for a function nothing.
 * @throws ErrandError `INSTANCE_UNAVAILABLE`
 */
export function instanceFor(task: Task): unknown {
  const owner = task.owner
  if (owner === undefined) return undefined
  if (task.declaration.kind === 'static') return owner
  if (state.resolver === undefined) return withoutContainer(task, owner)
  const resolved = state.resolver(owner)
  if (resolved instanceof Promise) return resolved.then((instance) => instance ?? withoutContainer(task, owner))
  return resolved ?? withoutContainer(task, owner)
}

function withoutContainer(task: Task, owner: Class): object {
  const made = state.made.get(owner)
  if (made !== undefined) return made
  const [first, second] = state.exported.get(owner) ?? []
  if (first !== undefined && second !== undefined) {
    throw unavailable(task, `its class ${owner.name} has two exported instances (${first.where}, ${second.where})`)
  }
  const instance = first?.instance ?? makeNew(task, owner)
  state.made.set(owner, instance)
  return instance
}

function makeNew(task: Task, owner: Class): object {
  const needs = constructorLength(owner)
  if (needs > 0) throw unavailable(task, `the constructor of ${owner.name} takes ${needs} argument(s) and no module exports an instance`)
  try {
    const instance: unknown = Reflect.construct(owner, [])
    // constructing a class answers an object
    return instance as object
  } catch (error) {
    throw unavailable(task, `new ${owner.name}() failed`, { cause: error })
  }
}

/** Parameters of the constructor; a class without one of its own has its parent's, although its `length` says 0. */
function constructorLength(owner: Class): number {
  const parent: unknown = Object.getPrototypeOf(owner)
  const inherits = typeof parent === 'function' && parent !== Function.prototype && !/\bconstructor\s*\(/.test(Function.prototype.toString.call(owner))
  // what a class extends is a class
  return inherits ? constructorLength(parent as unknown as Class) : owner.length
}

function unavailable(task: Task, why: string, options?: ErrorOptions): ErrandError {
  return new ErrandError(
    'INSTANCE_UNAVAILABLE',
    `Cannot run ${task.name}: ${why}. Export one instance from the service module, or name a container in the configuration ("container: ./container.js").`,
    options,
  )
}
