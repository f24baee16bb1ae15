import 'reflect-metadata'
import { ErrandError } from '../errors.js'
import { show } from '../core/options.js'
import { registry } from '../core/registry.js'
import type { Class, TaskBody, TaskDeclaration } from '../core/task.js'
import { resolveTaskOptions, type TaskOptions } from '../core/task-options.js'
import { callTask } from './call.js'
import { declaringModule } from './declared-in.js'
import type { AsyncTask } from './decorator-types.js'

/**
 * Makes a method (or a plain function) a **task**: a call of it becomes a durable message that carries the arguments and the
 * context of the caller, and a worker process runs the body as that caller.
 *
 * A call resolves once the message would survive a crash; the body has not run then. With `{ result: true }` it resolves with the
 * body's value after the worker ran it. With `withAsync: false`, or without a configuration, the body runs here and now.
 *
 * Works in both dialects, TypeScript's `experimentalDecorators` and the standard one, with and without parentheses, on instance
 * and static methods; `asyncTask(fn, options)` does the same for a function. A decorator written below it is part of the body and
 * runs in the worker; one written above runs at the caller.
 *
 * @throws ErrandError `OPTION_INVALID`, `DECORATOR_MISUSED` where it stands; the call rejects with `VALUE_UNSERIALIZABLE`,
 * `PAYLOAD_TOO_LARGE`, `BROKER_UNREACHABLE` and the other codes of `docs/errors.md`, and then nothing was queued; only after
 * `PUBLISH_TIMEOUT` nobody can know.
 *
 * @example
 * class Mail {
 *   @asyncTask()
 *   async send(to: User): Promise<void> { … }
 *
 *   @asyncTask({ result: true, retries: 3 })
 *   async report(year: number): Promise<Report> { … }
 * }
 * const sendSms = asyncTask(async function sendSms(to: string) { … }, { retries: 5 })
 */
// the overloads of AsyncTask describe exactly the argument shapes that `enter` tells apart
export const asyncTask: AsyncTask = enter as unknown as AsyncTask

polyfillMetadataSymbol()

function enter(first?: unknown, second?: unknown, third?: unknown): unknown {
  if (isStandardContext(second)) return declareStandard({}, first, second)
  if (typeof second === 'string' || typeof second === 'symbol') return declareLegacy({}, first, second, third)
  if (typeof first === 'function') return declareFunction(optionsFrom(second), first)
  const options = optionsFrom(first)
  resolveTaskOptions(options) // refused where it is written, not where it is applied
  return (target: unknown, key: unknown, descriptor: unknown) =>
    isStandardContext(key) ? declareStandard(options, target, key) : declareLegacy(options, target, key, descriptor)
}

function declareStandard(options: TaskOptions, body: unknown, context: ClassMethodDecoratorContext): unknown {
  const where = `@asyncTask on "${String(context.name)}"`
  if (context.kind !== 'method' || typeof body !== 'function') {
    throw new ErrandError('DECORATOR_MISUSED', `${where}: it is a ${context.kind}, and only a method can be a task.`)
  }
  refuseUnreachable(where, context.name, context.private)
  const place = { kind: context.static ? 'static' : 'method', member: String(context.name), target: undefined } as const
  const { declaration, wrapper } = declare(place, options, body)
  context.addInitializer(function (this: unknown) {
    const owner = context.static ? this : constructorOf(this)
    // the constructor of an instance, or the class itself, is a class
    if (typeof owner === 'function') registry.taskOf(declaration, owner as Class)
  })
  return wrapper
}

function declareLegacy(options: TaskOptions, target: unknown, key: unknown, descriptor: unknown): unknown {
  const owner = typeof target === 'function' ? target : constructorOf(target)
  const ownerName = typeof owner === 'function' ? owner.name : 'something'
  const where = `@asyncTask on ${ownerName}.${String(key)}`
  const given = (descriptor ?? {}) as PropertyDescriptor // what the legacy dialect hands to every method decorator
  if ((typeof target !== 'object' && typeof target !== 'function') || target === null || typeof given.value !== 'function') {
    throw new ErrandError('DECORATOR_MISUSED', `${where}: only a method can be a task, not a property, accessor, parameter or class.`)
  }
  refuseUnreachable(where, key, false)
  const place = { kind: typeof target === 'function' ? 'static' : 'method', member: String(key), target } as const
  const { declaration, wrapper } = declare(place, options, given.value)
  // the class of a prototype, or the class itself
  if (ownerName !== '' || declaration.options.name !== undefined) registry.taskOf(declaration, owner as Class)
  return { ...given, value: wrapper }
}

function declareFunction(options: TaskOptions, body: object): unknown {
  const member = 'name' in body && typeof body.name === 'string' ? body.name : ''
  const { declaration, wrapper } = declare({ kind: 'function', member, target: undefined }, options, body)
  registry.taskOf(declaration, undefined)
  return wrapper
}

interface Place {
  readonly kind: TaskDeclaration['kind']
  readonly member: string
  /** Where the compiler left the types of the parameters; only the legacy dialect does. */
  readonly target: object | undefined
}

function declare({ kind, member, target }: Place, options: TaskOptions, body: object) {
  const resolved = resolveTaskOptions(options)
  if (registry.declarationOf(body) !== undefined) {
    throw new ErrandError('DECORATOR_MISUSED', `@asyncTask on "${member}": it is a task already. Keep one @asyncTask, below every @everyTask.`)
  }
  const declaration: TaskDeclaration = Object.freeze({
    kind,
    member,
    options: resolved,
    body: body as TaskBody, // both dialects hand over a function
    module: declaringModule(),
    readParameterTypes: () => [
      ...(target === undefined ? [] : listOf(Reflect.getMetadata('design:paramtypes', target, member))),
      ...(resolved.params?.() ?? []),
    ],
  })
  const wrapper = function (this: unknown, ...args: unknown[]): unknown {
    return callTask(declaration, this, args)
  }
  actLike(wrapper, body)
  registry.declare(declaration, wrapper)
  return { declaration, wrapper }
}

/** Name, length and what other decorators left on the body (NestJS keeps its routes there) survive on the wrapper. */
function actLike(wrapper: object, body: object): void {
  for (const key of ['name', 'length']) {
    const descriptor = Object.getOwnPropertyDescriptor(body, key)
    if (descriptor !== undefined) Object.defineProperty(wrapper, key, descriptor)
  }
  for (const key of Reflect.getOwnMetadataKeys(body)) {
    Reflect.defineMetadata(key, Reflect.getOwnMetadata(key, body), wrapper)
  }
}

function refuseUnreachable(where: string, key: unknown, isPrivate: boolean): void {
  if (typeof key === 'symbol' || isPrivate) {
    throw new ErrandError('DECORATOR_MISUSED', `${where}: a worker cannot reach a #private or symbol-named method. Give it an ordinary name.`)
  }
}

function optionsFrom(given: unknown): TaskOptions {
  if (given === undefined) return {}
  if (typeof given === 'object' && given !== null) return given // each key is checked by resolveTaskOptions
  throw new ErrandError('OPTION_INVALID', `@asyncTask takes an object of options, got ${show(given)}.`)
}

const isStandardContext = (value: unknown): value is ClassMethodDecoratorContext =>
  typeof value === 'object' && value !== null && 'kind' in value && 'name' in value && 'addInitializer' in value

function constructorOf(instance: unknown): unknown {
  return typeof instance === 'object' && instance !== null ? instance.constructor : undefined
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** No Node version defines it yet; classes decorated in the standard dialect look for it when they are evaluated. */
function polyfillMetadataSymbol(): void {
  const holder: { metadata?: symbol } = Symbol
  holder.metadata ??= Symbol.for('Symbol.metadata')
}
