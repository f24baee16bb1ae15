import { ORDER_ACTIONS, orderAction, orderName, type OrderAction } from '../core/order-option.js'
import { processState } from '../core/process-state.js'
import { refuseUnknownKeys, show } from '../core/options.js'
import { registry } from '../core/registry.js'
import type { Task, TaskDeclaration } from '../core/task.js'
import { resolveCallOptions, type ResolvedCallOptions } from '../core/task-options.js'
import { ErrandError } from '../errors.js'

/** What a handler is called for: that an order was placed, has told of its progress, or has ended. */
export type OrderSignal = 'queued' | 'updated' | 'completed' | 'failed'

const SIGNALS: readonly OrderSignal[] = ['queued', 'updated', 'completed', 'failed']

/** A JSON Schema (draft 2020-12) of an object. */
export type ContextSchema = Readonly<Record<string, unknown>>

export interface RegisterOptions {
  /** @defaultValue 'queued' */
  readonly signal?: OrderSignal | undefined
  /** @defaultValue 'create' */
  readonly action?: OrderAction | undefined
  /** The queue in which the handler waits. @defaultValue that of the task */
  readonly queue?: string | undefined
  /** What the context of such orders looks like, for readers of the OpenAPI document; nothing is checked by it. @defaultValue any object */
  readonly contextSchema?: ContextSchema | undefined
  /** Answers what is wrong with a context, in words for the client, and nothing where it is right. @defaultValue every object is right */
  readonly validate?: ((context: Readonly<Record<string, unknown>>) => string | readonly string[] | undefined) | undefined
}

/** A task function or method, or the name of a task. Its body gets the id of the order and the context that the client gave. */
export type OrderTask = string | ((uuid: string, context: never) => Promise<unknown>)

/** A task that is called for a signal. */
export interface Handler {
  readonly task: Task
  readonly options: ResolvedCallOptions
}

/** Orders that can be placed. */
export interface OrderKind {
  readonly name: string
  readonly action: OrderAction
  readonly contextSchema?: ContextSchema | undefined
  readonly validate?: RegisterOptions['validate']
}

interface Registration extends OrderKind {
  readonly signal: OrderSignal
  readonly queue: string | undefined
  readonly given: string | TaskDeclaration
}

const registered = processState('orders', () => [] as Registration[])

/** @throws ErrandError `OPTION_INVALID`, `NOT_A_TASK` */
export function registerHandler(name: string, task: OrderTask, given: RegisterOptions = {}): void {
  const where = `orders.register(${show(name)})`
  refuseUnknownKeys(where, given, ['signal', 'action', 'queue', 'contextSchema', 'validate'])
  const { signal = 'queued', action = 'create', queue, contextSchema, validate } = given
  if (!SIGNALS.includes(signal)) throw new ErrandError('OPTION_INVALID', `${where} signal must be one of ${SIGNALS.join(', ')}, got ${show(signal)}.`)
  if (validate !== undefined && typeof validate !== 'function') throw new ErrandError('OPTION_INVALID', `${where} validate must be a function, got ${show(validate)}.`)
  if (contextSchema !== undefined && (typeof contextSchema !== 'object' || contextSchema === null)) {
    throw new ErrandError('OPTION_INVALID', `${where} contextSchema must be an object with a JSON Schema, got ${show(contextSchema)}.`)
  }
  resolveCallOptions({ queue }, undefined, where)
  const kind = { name: orderName(name, where), action: orderAction(action, where) }
  registered.push({ ...kind, signal, queue, contextSchema, validate, given: givenTask(task, where) })
}

/** Takes away every registration, and leaves what stands at tasks. */
export function forgetHandlers(): void {
  registered.length = 0
}

/**
 * What is called for a signal, in the order of registration; a task that says it itself comes first.
 * @throws ErrandError `NOT_A_TASK` where a registered task is not known (any more) in this process, `TASK_DUPLICATE` where two tasks say
 * that they carry out the same orders
 */
export function handlersOf(signal: OrderSignal, name: string, action: OrderAction): readonly Handler[] {
  const own = signal === 'queued' ? lowest(declaredTasks().filter(({ declaration }) => isFor(declaration.options.order, name, action))) : []
  if (own.length > 1) throw duplicate(name, action, own)
  const others = registered.filter((other) => other.signal === signal && isFor(other, name, action))
  return [...own.map((task) => handler(task, undefined)), ...others.map(({ given, queue }) => handler(knownTask(given, name), queue))]
}

/** All orders that can be placed here, by name and then by action. */
export function orderKinds(): readonly OrderKind[] {
  const kinds = new Map<string, OrderKind>()
  const declared = declaredTasks().flatMap(({ declaration }) => declaration.options.order ?? [])
  for (const kind of [...declared, ...registered.filter(({ signal }) => signal === 'queued')]) {
    const key = `${kind.name}/${kind.action}`
    kinds.set(key, { ...kind, ...kinds.get(key) })
  }
  const place = ({ action }: OrderKind): number => ORDER_ACTIONS.indexOf(action)
  return [...kinds.values()].sort((a, b) => (a.name === b.name ? place(a) - place(b) : a.name < b.name ? -1 : 1))
}

function isFor(order: { readonly name: string; readonly action: OrderAction } | undefined, name: string, action: OrderAction): boolean {
  return order !== undefined && order.name === name && order.action === action
}

function handler(task: Task, queue: string | undefined): Handler {
  return { task, options: resolveCallOptions({ queue }, task.declaration.options, 'orders.register()') }
}

function givenTask(task: unknown, where: string): string | TaskDeclaration {
  if (typeof task === 'string') return task
  const declaration = registry.declarationOf(task)
  if (declaration !== undefined) return declaration
  throw new ErrandError('NOT_A_TASK', `${where} got something that is not a task. Give it a function made with asyncTask(), a method with @asyncTask(), or the name of a task.`)
}

/** Late, since the class of a method, and a task that is named, may be loaded after the registration. */
function knownTask(given: string | TaskDeclaration, order: string): Task {
  const task = typeof given === 'string' ? registry.find(given) : lowest(declaredTasks().filter(({ declaration }) => declaration === given))[0]
  if (task !== undefined) return task
  const called = typeof given === 'string' ? given : given.member
  throw new ErrandError('NOT_A_TASK', `Orders "${order}" are to be handled by ${called}, and this process knows no such task. Import its module, and make the object it belongs to, before orders are placed.`)
}

/** Of a class and those that extend it only the last ones: of the others there need not be an object. */
function lowest(tasks: readonly Task[]): readonly Task[] {
  return tasks.filter((task) => !tasks.some((other) => other.declaration === task.declaration && isBelow(other, task)))
}

const isBelow = (task: Task, other: Task): boolean => task.owner !== undefined && other.owner !== undefined && task.owner.prototype instanceof other.owner

function duplicate(name: string, action: OrderAction, tasks: readonly Task[]): ErrandError {
  const names = tasks.map((task) => task.name).join(' and ')
  return new ErrandError('TASK_DUPLICATE', `Orders "${name}" with the action ${action} are carried out by ${names}. Leave the option "order" to one of them, and call orders.register() for the others.`)
}

const declaredTasks = (): readonly Task[] => [...new Set(registry.names().map((name) => registry.find(name)))].filter((task) => task !== undefined)
