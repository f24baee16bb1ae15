import { ErrandError } from '../../errors.js'
import { readClass } from './read-class.js'
import * as read from './read-built-in.js'
import { malformed, shown, unreadable } from './reader.js'
import type { Reader, TagNode, TagReader } from './reader.js'
import { MAX_DEPTH, TAG } from './wire.js'

/**
 * The value of a text that `encodeArguments` or `encodeValue` wrote. Plain JSON is only parsed.
 * @throws ErrandError `VALUE_UNREADABLE` for every other text
 */
export function decodeValue(text: string): unknown {
  const parsed = parse(text)
  return needsDecoding(text) ? decodeParsed(parsed) : parsed
}

/**
 * Whether the parsed form of `text` may differ from its value, so that {@link decodeParsed} has to walk it: it could hold a
 * tag or `__proto__`, also spelt with escapes, or be nested too deeply. Most texts need no walk.
 */
export function needsDecoding(text: string): boolean {
  return text.includes('"$"') || text.includes('__proto__') || text.includes('\\u') || mayBeDeep(text)
}

/** What stands where the writer had a placeholder. */
export interface Given {
  readonly value: unknown
}

/**
 * Makes the value of a parsed text, in place: lists and plain objects of `parsed` become part of it.
 * @throws ErrandError `VALUE_UNREADABLE`
 */
export function decodeParsed(parsed: unknown, given?: Given): unknown {
  try {
    return new Decoder(given).part(parsed)
  } catch (error) {
    if (error instanceof ErrandError && error.code === 'VALUE_UNREADABLE') throw error
    return unreadable('what stands for it cannot be made into it', 'Look at the cause.', error)
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // no cause: its message quotes the text, which holds values
    return malformed('the text is not JSON')
  }
}

/** As many brackets as levels are allowed; counting stops there, so this is cheap for small texts and large ones alike. */
function mayBeDeep(text: string): boolean {
  let count = 0
  for (const bracket of ['{', '[']) {
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) if (++count > MAX_DEPTH) return true
  }
  return false
}

interface TagShape {
  readonly read: TagReader
  /** The keys beside `$` that must be there, and those that may. */
  readonly keys: readonly string[]
  readonly optional?: readonly string[]
}

const V = ['v']
const NV = ['n', 'v']

/** Every tag there is, but for `id`, `ref`, `given` and `obj`, which the walk itself knows. */
const TAGS: ReadonlyMap<unknown, TagShape> = new Map<unknown, TagShape>([
  ['undef', { read: () => undefined, keys: [] }],
  ['num', { read: read.readNumber, keys: V }],
  ['big', { read: read.readBigInt, keys: V }],
  ['date', { read: read.readDate, keys: V }],
  ['url', { read: read.readUrl, keys: V }],
  ['regexp', { read: read.readRegExp, keys: V }],
  ['bytes', { read: read.readBytes, keys: NV }],
  ['boxed', { read: read.readBoxed, keys: V }],
  ['map', { read: read.readMap, keys: V }],
  ['set', { read: read.readSet, keys: V }],
  ['bare', { read: read.readBare, keys: V }],
  ['error', { read: read.readError, keys: ['n', 'message'], optional: ['name', 'stack', 'cause', 'errors', 'v'] }],
  ['class', { read: readClass, keys: NV }],
])

class Decoder implements Reader {
  readonly #kept = new Map<unknown, unknown>()
  readonly #given: Given | undefined
  #depth = -1

  constructor(given: Given | undefined) {
    this.#given = given
  }

  part(node: unknown): unknown {
    if (typeof node !== 'object' || node === null) return node
    if (++this.#depth > MAX_DEPTH) return malformed(`more than ${MAX_DEPTH} levels of nesting`)
    const value = this.#read(node)
    this.#depth--
    return value
  }

  fields(node: unknown): Record<string, unknown> {
    if (typeof node !== 'object' || node === null || Array.isArray(node)) return malformed('a tag without the fields it needs')
    // it came from JSON.parse, so it is an object with texts for keys
    const fields = node as Record<string, unknown>
    for (const key of Object.keys(fields)) {
      if (key === '__proto__') return malformed('a field called "__proto__"')
      const item = fields[key]
      if (typeof item === 'object' && item !== null) fields[key] = this.part(item)
    }
    return fields
  }

  #read(node: object, id?: number): unknown {
    const keep = <T>(value: T): T => {
      if (id !== undefined) this.#kept.set(id, value)
      return value
    }
    if (Array.isArray(node)) return this.#readList(keep(node))
    if (!Object.hasOwn(node, TAG)) return this.fields(keep(node))
    // it came from JSON.parse, so it is an object with texts for keys
    return this.#readTag(node as TagNode, keep, id)
  }

  #readList(list: unknown[]): unknown[] {
    for (let index = 0; index < list.length; index++) {
      const item = list[index]
      if (typeof item !== 'object' || item === null) continue
      // oxlint-disable-next-line no-array-delete -- a hole is what was sent
      if (isHole(item)) delete list[index]
      else list[index] = this.part(item)
    }
    return list
  }

  #readTag(node: TagNode, keep: <T>(value: T) => T, id: number | undefined): unknown {
    const tag = node[TAG]
    if (tag === 'ref') return this.#readReference(node)
    if (tag === 'given') return this.#readGiven(node)
    if (tag === 'id') return id === undefined ? this.#readMarked(node) : malformed('an "id" tag in an "id" tag')
    if (tag === 'obj') {
      checkKeys(node, V)
      const { v } = node
      if (typeof v !== 'object' || v === null || !Object.hasOwn(v, TAG)) return malformed('an "obj" tag around what needs none')
      return this.fields(keep(v))
    }
    const shape = TAGS.get(tag)
    if (shape === undefined) return malformed(`an unknown tag ${shown(tag)}`)
    checkKeys(node, shape.keys, shape.optional)
    return shape.read(this, node, keep)
  }

  #readMarked(node: TagNode): unknown {
    checkKeys(node, NV)
    const { n, v } = node
    if (typeof n !== 'number' || !Number.isSafeInteger(n)) return malformed('an "id" tag without a number')
    if (this.#kept.has(n)) return malformed('an "id" tag with the number of another')
    if (typeof v !== 'object' || v === null) return malformed('an "id" tag around what is no object')
    this.#kept.set(n, NOT_YET)
    const value = this.#read(v, n)
    return this.#kept.get(n) === value ? value : malformed('an "id" tag around what is no object')
  }

  #readGiven(node: TagNode): unknown {
    checkKeys(node, [])
    return this.#given === undefined ? malformed('a "given" tag, and nothing that goes there') : this.#given.value
  }

  #readReference(node: TagNode): unknown {
    checkKeys(node, V)
    const { v } = node
    const value = this.#kept.has(v) ? this.#kept.get(v) : NOT_YET
    return value === NOT_YET ? malformed('a "ref" tag that refers to nothing read before') : value
  }
}

/** Stands for an object whose parts are being read before it can be made. */
const NOT_YET = Symbol('not yet')

function isHole(item: object): boolean {
  return Reflect.get(item, TAG) === 'hole' && Object.keys(item).length === 1
}

function checkKeys(node: TagNode, keys: readonly string[], optional: readonly string[] = []): void {
  const given = Object.keys(node).filter((key) => key !== TAG)
  const fits = keys.every((key) => given.includes(key)) && given.every((key) => keys.includes(key) || optional.includes(key))
  if (!fits) malformed(`a ${shown(node[TAG])} tag with other parts than it has`)
}
