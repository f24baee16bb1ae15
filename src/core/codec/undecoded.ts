import { TAG } from './wire.js'

/** Tags that are written for values of one type, with the name of that type. */
const TYPES: ReadonlyMap<unknown, string> = new Map([
  ['undef', 'undefined'],
  ['num', 'number'],
  ['big', 'bigint'],
  ['date', 'Date'],
  ['url', 'URL'],
  ['regexp', 'RegExp'],
  ['map', 'Map'],
  ['set', 'Set'],
])

/** Tags that name the type themselves. */
const NAMING: ReadonlySet<unknown> = new Set(['bytes', 'error', 'class'])

const LONGEST_NAME = 100

/** The type of a value that is not decoded, as `typeof` says it or as the name of its class. No class has to be known here. */
export function typeNameOf(node: unknown): string {
  if (typeof node !== 'object' || node === null) return node === null ? 'null' : typeof node
  if (Array.isArray(node)) return 'Array'
  if (!Object.hasOwn(node, TAG)) return 'Object'
  const tag: unknown = Reflect.get(node, TAG)
  if (tag === 'id') return typeNameOf(Reflect.get(node, 'v'))
  const name: unknown = NAMING.has(tag) ? Reflect.get(node, 'n') : TYPES.get(tag)
  return typeof name === 'string' ? name.slice(0, LONGEST_NAME) : 'Object'
}

/** A field of an object, or of an instance of a class, that is not decoded. */
export function fieldOf(node: unknown, name: string): unknown {
  if (typeof node !== 'object' || node === null || Array.isArray(node)) return undefined
  if (Object.hasOwn(node, TAG) && ['id', 'obj', 'class', 'bare'].includes(String(Reflect.get(node, TAG)))) {
    const inner: unknown = Reflect.get(node, 'v')
    const isWrapped = Reflect.get(node, TAG) === 'id'
    return isWrapped ? fieldOf(inner, name) : ownOf(inner, name)
  }
  return ownOf(node, name)
}

const ownOf = (node: unknown, name: string): unknown =>
  typeof node === 'object' && node !== null && Object.hasOwn(node, name) ? Reflect.get(node, name) : undefined
