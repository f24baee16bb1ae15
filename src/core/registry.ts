import { ErrandError } from '../errors.js'
import { adoptClasses } from './codec/classes.js'
import { nearest } from './options.js'
import { processState } from './process-state.js'
import { taskName, type Class, type Task, type TaskDeclaration } from './task.js'

/** Every task this process knows. One per process; decorators fill it, calls and workers read it. */
export class Registry {
  readonly #byName = new Map<string, Task>()
  readonly #byDeclaration = new WeakMap<TaskDeclaration, WeakMap<object, Task>>()
  readonly #byFunction = new WeakMap<object, TaskDeclaration>()
  readonly #withoutTypes = new Set<TaskDeclaration>()
  readonly #members = new WeakMap<object, Map<string, TaskDeclaration>>()
  readonly #modules = new Set<string>()
  readonly #beginningAlone = new Set<string>()

  /** Makes `declaration` known under the function that replaced its body. */
  declare(declaration: TaskDeclaration, wrapper: object): void {
    this.#byFunction.set(wrapper, declaration)
    this.#withoutTypes.add(declaration)
    if (declaration.module !== undefined) this.#modules.add(declaration.module)
  }

  /** What `candidate` declares, if it is the wrapper of a task. */
  declarationOf(candidate: unknown): TaskDeclaration | undefined {
    return typeof candidate === 'function' ? this.#byFunction.get(candidate) : undefined
  }

  /** `declaration` as a task of `owner`; entered under its name when it is seen first. @throws ErrandError `TASK_DUPLICATE` */
  taskOf(declaration: TaskDeclaration, owner: Class | undefined): Task {
    let byOwner = this.#byDeclaration.get(declaration)
    if (byOwner === undefined) this.#byDeclaration.set(declaration, (byOwner = new WeakMap()))
    const known = byOwner.get(owner ?? declaration)
    if (known !== undefined) return known
    const task: Task = Object.freeze({ name: taskName(declaration, owner), declaration, owner })
    for (const name of [task.name, ...declaration.options.aliases]) this.#enter(name, task)
    if (owner !== undefined) this.#members.set(owner, (this.#members.get(owner) ?? new Map()).set(declaration.member, declaration))
    byOwner.set(owner ?? declaration, task)
    return task
  }

  /**
   * Whether `member` of `service` is a task, also when another decorator wrapped it once more and the function itself no longer
   * tells.
   */
  isTaskMember(service: object, member: string): boolean {
    if (this.declarationOf(Reflect.get(service, member)) !== undefined) return true
    const owner: unknown = typeof service === 'function' ? service : service.constructor
    return typeof owner === 'function' && this.#wrappedMembers(owner).some((declaration) => declaration.member === member)
  }

  /** The task of that name or alias. */
  find(name: string): Task | undefined {
    return this.#byName.get(name)
  }

  /** The known name that is nearest to an unknown one, for error messages. */
  nearestTo(name: string): string | undefined {
    return nearest(name, this.names())
  }

  /** All names and aliases. */
  names(): readonly string[] {
    return [...this.#byName.keys()]
  }

  /** Names and aliases of tasks whose runs do not begin with the claims of their messages: limits may stand against it, or nothing is kept of them. */
  get beginningAlone(): ReadonlySet<string> {
    return this.#beginningAlone
  }

  /** Modules in which tasks were declared. */
  modules(): readonly string[] {
    return [...this.#modules]
  }

  /** Lets the codec know the classes of all parameters declared so far; done late because classes may stand below their use. */
  adoptParameterTypes(): void {
    for (const declaration of this.#withoutTypes) adoptClasses(declaration.readParameterTypes())
    this.#withoutTypes.clear()
  }

  /** Finds the tasks on an exported value: a class, an instance, a task function. Answers the tasks of its class. */
  adopt(value: unknown): readonly Task[] {
    const declaration = this.declarationOf(value)
    if (declaration?.kind === 'function') return [this.taskOf(declaration, undefined)]
    if (typeof value === 'function') return this.#adoptClass(value as unknown as Class) // a function is at worst a class without tasks
    if (typeof value !== 'object' || value === null) return []
    const owner: unknown = value.constructor
    return typeof owner === 'function' ? this.#adoptClass(owner as unknown as Class) : []
  }

  #adoptClass(owner: Class): readonly Task[] {
    const found = new Set(this.#wrappedMembers(owner))
    for (const holder of [...chain(owner.prototype, Object.prototype), ...chain(owner, Function.prototype)]) {
      for (const key of Reflect.ownKeys(holder)) {
        const declaration = this.declarationOf(Object.getOwnPropertyDescriptor(holder, key)?.value)
        if (declaration !== undefined && declaration.kind !== 'function') found.add(declaration)
      }
    }
    return [...found].map((declaration) => this.taskOf(declaration, owner))
  }

  /** Tasks that `owner` or its parents declared and no class below the declaring one overrides. */
  #wrappedMembers(owner: object): readonly TaskDeclaration[] {
    const found: TaskDeclaration[] = []
    const taken = new Set<string>()
    for (const holder of chain(owner, Function.prototype)) {
      for (const declaration of this.#members.get(holder)?.values() ?? []) if (!taken.has(declaration.member)) found.push(declaration)
      const prototype: unknown = Reflect.get(holder, 'prototype')
      const names = [...Object.getOwnPropertyNames(holder), ...(prototype instanceof Object ? Object.getOwnPropertyNames(prototype) : [])]
      for (const name of names) taken.add(name)
    }
    return found
  }

  #enter(name: string, task: Task): void {
    const other = this.#byName.get(name)
    if (other !== undefined && other.declaration !== task.declaration) {
      throw new ErrandError(
        'TASK_DUPLICATE',
        `Two tasks are called "${name}": ${place(other)} and ${place(task)}. Messages carry only the name, so give one of them { name: '…' }.`,
      )
    }
    if (task.declaration.options.limits !== undefined || !task.declaration.options.track) this.#beginningAlone.add(name)
    if (other === undefined || isSubclassTask(task, other)) this.#byName.set(name, task)
  }
}

/** The registry of this process. */
export const registry = processState('registry', () => new Registry())

function* chain(from: unknown, end: object): Generator<object> {
  let holder: unknown = from
  while ((typeof holder === 'object' || typeof holder === 'function') && holder !== null && holder !== end) {
    yield holder
    holder = Object.getPrototypeOf(holder)
  }
}

/** With an explicit name a base class and its subclasses share one task: the subclass is what callers use. */
function isSubclassTask(task: Task, other: Task): boolean {
  return task.owner !== undefined && other.owner !== undefined && task.owner.prototype instanceof other.owner
}

function place(task: Task): string {
  const owner = task.owner === undefined ? '' : `${task.owner.name}.`
  const module = task.declaration.module === undefined ? '' : ` in ${task.declaration.module.split('/').slice(-2).join('/')}`
  return `${owner}${task.declaration.member}${module}`
}
