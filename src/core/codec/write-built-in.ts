import { types } from 'node:util'
import { bytesOf } from './binary.js'
import { classOf, nameOf } from './class-source.js'
import { isObject, isPlainPrototype, kindOf, withArticle } from './kind.js'
import { MAX_BIGINT_DIGITS, MAX_REGEXP_LENGTH } from './wire.js'
import type { Wire, WireObject } from './wire.js'
import type { Writer } from './writer.js'

/** Writes what is neither an object nor a function. */
export function writePrimitive(writer: Writer, value: unknown): Wire {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      if (Object.is(value, -0)) return { $: 'num', v: '-0' }
      return Number.isFinite(value) ? value : { $: 'num', v: String(value) }
    case 'undefined':
      return { $: 'undef' }
    case 'bigint':
      return writeBigInt(writer, value)
    case 'symbol':
      return writer.refuse('is a symbol. Pass a text instead.')
    case 'function':
      return writer.refuse('is a function. Pass what it needs as data.')
    case 'object':
    default:
      return writer.refuse('is an object. Pass data instead.') // never reached: objects have writers of their own
  }
}

function writeBigInt(writer: Writer, value: bigint): WireObject {
  const digits = String(value)
  if (digits.length > MAX_BIGINT_DIGITS) {
    writer.refuse(`is a BigInt of more than ${MAX_BIGINT_DIGITS} digits. Pass an id, or a Buffer.`)
  }
  return { $: 'big', v: digits }
}

/**
 * Writes an object of a built-in kind; `undefined` for one of no kind that has a form. Told by what the object is inside, so
 * that one of another realm or with a borrowed prototype is not mistaken. Subclasses are no built-in kind.
 */
export function writeBuiltIn(writer: Writer, value: object): WireObject | undefined {
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) {
    const bytes = bytesOf(value)
    return bytes && { $: 'bytes', n: bytes.name, v: bytes.base64 }
  }
  const out = writeKind(writer, value)
  if (out === undefined) return undefined
  const indices = types.isStringObject(value) ? value.length : 0
  if (Object.keys(value).length > indices) {
    writer.refuse(`is ${withArticle(kindOf(value))} with fields of its own. Pass them beside it.`)
  }
  return out
}

function writeKind(writer: Writer, value: object): WireObject | undefined {
  if (types.isDate(value)) return isExactly(value, 'Date') ? writeDate(value) : undefined
  if (types.isMap(value)) return isExactly(value, 'Map') ? writeMap(writer, value) : undefined
  if (types.isSet(value)) return isExactly(value, 'Set') ? writeSet(writer, value) : undefined
  if (types.isRegExp(value)) return isExactly(value, 'RegExp') ? writeRegExp(writer, value) : undefined
  if (types.isBoxedPrimitive(value)) return writeBoxed(writer, value)
  if (value instanceof URL && Object.getPrototypeOf(value) === URL.prototype) return { $: 'url', v: value.href }
  return undefined
}

/** Not a subclass; the name is compared because a value of another realm has another prototype. */
function isExactly(value: object, name: string): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  const Class = isObject(prototype) ? classOf(prototype) : undefined
  return Class !== undefined && nameOf(Class) === name && isPlainPrototype(Object.getPrototypeOf(prototype))
}

const writeDate = (date: Date): WireObject => ({ $: 'date', v: Number.isNaN(date.getTime()) ? null : date.toISOString() })

function writeMap(writer: Writer, map: ReadonlyMap<unknown, unknown>): WireObject {
  // keys are values of the caller, so the path counts them
  const pairs = Array.from(map, ([key, value], index) => [
    writer.part({ words: `[key ${index}]` }, key),
    writer.part({ words: `[value ${index}]` }, value),
  ])
  return { $: 'map', v: pairs }
}

function writeSet(writer: Writer, set: ReadonlySet<unknown>): WireObject {
  return { $: 'set', v: Array.from(set, (item, index) => writer.part({ words: `[item ${index}]` }, item)) }
}

/** `lastIndex` starts at 0 again, as in a structured clone. */
function writeRegExp(writer: Writer, { source, flags }: RegExp): WireObject {
  if (source.length > MAX_REGEXP_LENGTH) {
    writer.refuse(`is a RegExp of more than ${MAX_REGEXP_LENGTH} characters. Pass a shorter one.`)
  }
  return { $: 'regexp', v: [source, flags] }
}

function writeBoxed(writer: Writer, value: object): WireObject | undefined {
  const primitive: unknown = value.valueOf()
  return typeof primitive === 'object' ? undefined : { $: 'boxed', v: writePrimitive(writer, primitive) }
}
