import { types } from 'node:util'
import { travellingStack } from './error-stacks.js'
import { isObject } from './kind.js'
import type { Wire, WireObject } from './wire.js'
import type { Writer } from './writer.js'

/** The error classes that every process has. Found by name on the wire, so the list is closed. */
const ERROR_CLASSES: ReadonlyMap<string, ErrorConstructor> = new Map(
  [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError].map((Class) => [Class.name, Class]),
)

/** Fields with a place of their own in the tag, whether enumerable or not. */
const OWN_PLACE = ['message', 'stack', 'cause', 'errors']

export const isError = (value: object): value is Error => types.isNativeError(value) || value instanceof Error

/**
 * An error as its nearest built-in class, name, message, cause, AggregateError's errors and own enumerable fields such as
 * `code`. The stack stays behind unless `errorStacks` says otherwise: it names files of another process. Symbols stay behind as in a structured clone.
 */
export function writeError(writer: Writer, error: Error): WireObject {
  const { message } = error
  if (typeof message !== 'string') writer.refuse('is an error whose message is not text. Make it text.')
  const out: Record<string, Wire> = { $: 'error', n: builtInName(error), message }
  const name: unknown = Object.prototype.propertyIsEnumerable.call(error, 'name') ? out['n'] : error.name
  if (name !== out['n']) out['name'] = String(name)
  const stack = travellingStack(error)
  if (stack !== undefined) out['stack'] = stack
  if (Object.hasOwn(error, 'cause')) out['cause'] = writer.part('cause', error.cause)
  if (Object.hasOwn(error, 'errors')) out['errors'] = writer.part('errors', Reflect.get(error, 'errors'))
  if (Object.keys(error).some((key) => !OWN_PLACE.includes(key))) out['v'] = writer.fields(error, OWN_PLACE)
  return out
}

/** An error of a class that {@link writeError} named, without its parts; `undefined` for a name that is not in the list. */
export function makeError(Class: string, message: string, name: string | undefined): Error | undefined {
  if (Class === 'DOMException') return new DOMException(message, name)
  if (Class === 'AggregateError') return new AggregateError([], message)
  const BuiltIn = ERROR_CLASSES.get(Class)
  return BuiltIn === undefined ? undefined : new BuiltIn(message)
}

/** Sets what a constructor of an error would have set: present, but not enumerable. */
export function putHidden(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, writable: true, enumerable: false, configurable: true })
}

function builtInName(error: Error): string {
  for (let prototype: unknown = error; isObject(prototype); prototype = Object.getPrototypeOf(prototype)) {
    if (prototype === AggregateError.prototype) return 'AggregateError'
    if (prototype === DOMException.prototype) return 'DOMException'
    for (const [name, Class] of ERROR_CLASSES) if (prototype === Class.prototype) return name
  }
  return 'Error'
}
