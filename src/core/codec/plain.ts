import { MAX_DEPTH, TAG } from './wire.js'

/** Up to here a search through a list is quicker than a Set. */
const LIST_LENGTH = 24

/** The objects one walk has met, to notice that one is met again. */
export class Sightings {
  readonly #list: object[] = []
  #set: Set<object> | undefined

  /** Whether `object` was not met before; it is from now on. */
  isNew(object: object): boolean {
    if (this.#set !== undefined) {
      const size = this.#set.size
      return this.#set.add(object).size !== size
    }
    if (this.#list.includes(object)) return false
    this.#list.push(object)
    if (this.#list.length > LIST_LENGTH) this.#set = new Set(this.#list)
    return true
  }
}

/**
 * Whether `JSON.stringify` alone would carry `value` unchanged: nothing that needs a tag, nothing it would drop, and no
 * object met twice. Everything else goes to the writer, which also finds the words when a value cannot travel.
 *
 * Every call of a task passes here. The forms below were measured: `for in` beats Object.keys and Reflect.ownKeys on records,
 * and Object.keys beats `for in` on lists.
 */
export function isPlainJson(value: unknown, seen: Sightings, depth = 0): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0)
    case 'object':
      return value === null || isPlainContainer(value, seen, depth)
    case 'undefined':
    case 'bigint':
    case 'symbol':
    case 'function':
    default:
      return false
  }
}

function isPlainContainer(value: object, seen: Sightings, depth: number): boolean {
  if (depth > MAX_DEPTH || !seen.isNew(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype) return isPlainRecord(value, seen, depth)
  return prototype === Array.prototype && Array.isArray(value) && isPlainList(value, seen, depth)
}

function isPlainList(list: readonly unknown[], seen: Sightings, depth: number): boolean {
  for (let index = 0; index < list.length; index++) {
    const item = list[index]
    if (typeof item !== 'string' && !isPlainJson(item, seen, depth + 1)) return false
  }
  // no holes are left now, so a difference is a property beside the elements
  return Object.keys(list).length === list.length && Object.getOwnPropertySymbols(list).length === 0
}

function isPlainRecord(record: object, seen: Sightings, depth: number): boolean {
  for (const key in record) {
    if (key === TAG || key === '__proto__') return false
    // an inherited key is one that somebody put on Object.prototype; it does no harm to look at it too
    const item = (record as Record<string, unknown>)[key]
    if (typeof item !== 'string' && !isPlainJson(item, seen, depth + 1)) return false
  }
  return Object.getOwnPropertySymbols(record).length === 0
}
