import { fromBytes } from './binary.js'
import { makeError, putHidden } from './errors.js'
import { listOf, malformed, textOf } from './reader.js'
import type { Reader, TagNode, TagReader } from './reader.js'
import { MAX_BIGINT_DIGITS, MAX_REGEXP_LENGTH } from './wire.js'

const NUMBERS: ReadonlyMap<unknown, number> = new Map([
  ['-0', -0],
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
])

export const readNumber: TagReader = (_, node) => NUMBERS.get(node['v']) ?? malformed('a "num" tag without a special number')

export const readBigInt: TagReader = (_, node) => {
  const digits = textOf(node, 'v')
  if (digits.length > MAX_BIGINT_DIGITS || !/^-?\d+$/.test(digits)) malformed('a "big" tag without digits, or with too many')
  return BigInt(digits)
}

export const readDate: TagReader = (_, node, keep) => {
  if (node['v'] === null) return keep(new Date(NaN))
  const text = textOf(node, 'v')
  const date = new Date(text)
  if (Number.isNaN(date.getTime()) || date.toISOString() !== text) malformed('a "date" tag without a valid time')
  return keep(date)
}

export const readUrl: TagReader = (_, node, keep) => {
  const text = textOf(node, 'v')
  return URL.canParse(text) ? keep(new URL(text)) : malformed('a "url" tag without a valid URL')
}

export const readRegExp: TagReader = (_, node, keep) => {
  const [source, flags] = listOf(node, 2)
  if (typeof source !== 'string' || typeof flags !== 'string' || source.length > MAX_REGEXP_LENGTH) {
    return malformed('a "regexp" tag without a pattern, or with one that is too long')
  }
  try {
    return keep(new RegExp(source, flags))
  } catch {
    return malformed('a "regexp" tag without a valid pattern')
  }
}

export const readBytes: TagReader = (_, node, keep) =>
  keep(fromBytes(textOf(node, 'n'), textOf(node, 'v')) ?? malformed('a "bytes" tag of unknown kind, or that does not fit it'))

export const readBoxed: TagReader = (reader, node, keep) => {
  const value = reader.part(node['v'])
  if (value === null || value === undefined || typeof value === 'object') malformed('a "boxed" tag without a simple value')
  return keep(Object(value))
}

export const readMap: TagReader = (reader, node, keep) => {
  const map = keep(new Map<unknown, unknown>())
  const pairs = listOf(node)
  for (const pair of pairs) {
    if (!Array.isArray(pair) || pair.length !== 2) return malformed('a "map" tag with something that is no pair')
    map.set(reader.part(pair[0]), reader.part(pair[1]))
  }
  return map.size === pairs.length ? map : malformed('a "map" tag with a key that is there twice')
}

export const readSet: TagReader = (reader, node, keep) => {
  const set = keep(new Set<unknown>())
  const items = listOf(node)
  for (const item of items) set.add(reader.part(item))
  return set.size === items.length ? set : malformed('a "set" tag with an item that is there twice')
}

export const readBare: TagReader = (reader, node, keep) => {
  const { v } = node
  if (typeof v !== 'object' || v === null || Array.isArray(v)) return malformed('a "bare" tag without fields')
  // the parsed object itself becomes the value, so that parts can refer to it
  keep(Object.setPrototypeOf(v, null))
  return reader.fields(v)
}

export const readError: TagReader = (reader, node, keep) => readErrorAs(undefined, reader, node, keep)

/** Reads an `error` tag; `prototype` is that of the registered class it stood for. */
export function readErrorAs(prototype: object | undefined, reader: Reader, node: TagNode, keep: <T>(value: T) => T): Error {
  const name = node['name'] === undefined ? undefined : textOf(node, 'name')
  const error = makeError(textOf(node, 'n'), textOf(node, 'message'), name) ?? malformed('an "error" tag of an unknown class')
  if (prototype !== undefined) Object.setPrototypeOf(error, prototype)
  if (name !== undefined && error.name !== name) putHidden(error, 'name', name)
  // the stack of this place would mislead
  putHidden(error, 'stack', node['stack'] === undefined ? `${name ?? error.name}: ${error.message}` : textOf(node, 'stack'))
  keep(error)
  if (Object.hasOwn(node, 'cause')) putHidden(error, 'cause', reader.part(node['cause']))
  if (Object.hasOwn(node, 'errors')) putHidden(error, 'errors', reader.part(node['errors']))
  const fields = Object.hasOwn(node, 'v') ? reader.fields(node['v']) : {}
  for (const [key, value] of Object.entries(fields)) {
    Object.defineProperty(error, key, { value, writable: true, enumerable: true, configurable: true })
  }
  return error
}
