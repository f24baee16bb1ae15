import { types } from 'node:util'
import { assertNever, ErrandError } from '../../errors.js'
import { planOf } from './class-plan.js'
import { classOf, isDataClass, nameOf } from './class-source.js'
import { toFields } from './class-transformer.js'
import { entryOfPrototype, headsOf, rivalsOf } from './classes.js'
import type { ClassEntry } from './classes.js'
import { isError, writeError } from './errors.js'
import { isListPrototype, isObject, isPlainPrototype, kindOf, withArticle } from './kind.js'
import { isPlainJson, Sightings } from './plain.js'
import { MAX_DEPTH, MAX_SPARSE_LENGTH, putField, TAG } from './wire.js'
import type { Wire, WireObject } from './wire.js'
import { writeBuiltIn, writePrimitive } from './write-built-in.js'
import { pathOf } from './writer.js'
import type { Step, Writer } from './writer.js'

/**
 * JSON text of the arguments of a call, from which `decodeValue` makes equal values, also where one object is met several
 * times. `subject` begins the message of a refusal: "Cannot send MailService.sendWelcome".
 * A mark stands where `placeholder` is, for `decodeParsed` to put a value there.
 * @throws ErrandError `VALUE_UNSERIALIZABLE` that names the argument and the path of what cannot travel
 */
export function encodeArguments(args: readonly unknown[], subject: string, placeholder?: object): string {
  return encode(args, { subject, what: undefined, placeholder })
}

/**
 * JSON text of one value. `what` names it in the message of a refusal: "the result", "context.user".
 * @throws ErrandError `VALUE_UNSERIALIZABLE` that names the path of what cannot travel
 */
export function encodeValue(value: unknown, subject: string, what: string): string {
  return encode(value, { subject, what, placeholder: undefined })
}

/** What is written, for refusals, and what in it is left open. */
interface Writing {
  readonly subject: string
  readonly what: string | undefined
  readonly placeholder: object | undefined
}

function encode(value: unknown, writing: Writing): string {
  return writing.placeholder === undefined && isPlain(value) ? JSON.stringify(value) : new Encoder(writing).encode(value)
}

function isPlain(value: unknown): boolean {
  try {
    return isPlainJson(value, new Sightings())
  } catch {
    // a getter threw; the writer meets it again and can say where
    return false
  }
}

/** An object that the walk has met. */
interface Sight {
  node?: Wire
  /** Given when it is met again. */
  id?: number
  /** No reference can be made to it while its parts are written. */
  closed?: boolean
}

/**
 * Walks a value and builds the JSON with tags. Objects met twice are marked with an id at their first place
 * (`{"$":"id","n":1,"v":…}`) and named by it elsewhere (`{"$":"ref","v":1}`); values without sharing carry no mark.
 */
class Encoder implements Writer {
  readonly #subject: string
  readonly #what: string | undefined
  readonly #placeholder: object | undefined
  readonly #path: Step[] = []
  readonly #seen = new Map<object, Sight>()
  readonly #ids = new Map<Wire, number>()
  #lastId = 0
  #refusal: unknown

  constructor({ subject, what, placeholder }: Writing) {
    this.#subject = subject
    this.#what = what
    this.#placeholder = placeholder
  }

  encode(value: unknown): string {
    try {
      const tree = this.#write(value)
      for (const { node, id } of this.#seen.values()) {
        if (node !== undefined && id !== undefined) this.#ids.set(node, id)
      }
      return JSON.stringify(this.#lastId === 0 ? tree : this.#withIds(tree))
    } catch (error) {
      if (error === this.#refusal) throw error
      return this.refuse('cannot be read. Look at the cause.', error)
    }
  }

  part(step: Step, value: unknown): Wire {
    this.#path.push(step)
    const node = this.#write(value)
    // not in a finally: after a refusal the path still says where
    this.#path.pop()
    return node
  }

  refuse(problem: string, cause?: unknown): never {
    const [first, ...rest] = this.#path
    const steps = this.#what === undefined ? rest : this.#path
    const what = this.#what ?? (typeof first === 'number' ? `argument ${first}` : 'the list of arguments')
    const path = pathOf(steps)
    const message = `${this.#subject}: ${what}${path === '' ? '' : ` at "${path}"`} ${problem}`
    this.#refusal = new ErrandError('VALUE_UNSERIALIZABLE', message, cause === undefined ? {} : { cause })
    throw this.#refusal
  }

  closeToReferences(value: object): void {
    const sight = this.#seen.get(value)
    if (sight !== undefined) sight.closed = true
  }

  /** Getters are read and non-enumerable fields left out as in a structured clone; a symbol would be lost, so it is refused. */
  fields(value: object, except: readonly string[] = []): WireObject {
    const out: Record<string, Wire> = {}
    for (const key of Object.keys(value)) {
      if (except.includes(key)) continue
      if (key === '__proto__') this.refuse('has a field "__proto__". Leave it out.')
      // not by part(), so that a getter that throws is named too
      this.#path.push(key)
      putField(out, key, this.#write(Reflect.get(value, key)))
      this.#path.pop()
    }
    return out
  }

  #write(value: unknown): Wire {
    if (typeof value !== 'object' || value === null) return value === null ? null : writePrimitive(this, value)
    // before anything is asked of it: it refuses every question
    if (value === this.#placeholder) return { [TAG]: 'given' }
    if (this.#path.length > MAX_DEPTH) {
      this.refuse(`is nested more than ${MAX_DEPTH} levels deep. Pass an id, or a flatter value.`)
    }
    const known = this.#seen.get(value)
    if (known !== undefined) return this.#reference(known)
    const sight: Sight = {}
    this.#seen.set(value, sight)
    sight.node = this.#writeObject(value)
    sight.closed = false
    return sight.node
  }

  #reference(sight: Sight): WireObject {
    if (sight.closed === true) this.refuse('refers back to an object that is made from it. Pass an id instead.')
    sight.id ??= ++this.#lastId
    return { $: 'ref', v: sight.id }
  }

  #writeObject(value: object): Wire {
    const prototype: unknown = Object.getPrototypeOf(value)
    // the two commonest kinds first
    if (prototype === Object.prototype) return this.#writeRecord(value)
    if (prototype === Array.prototype && Array.isArray(value)) return this.#writeList(value)
    const entry = isObject(prototype) ? entryOfPrototype(prototype) : undefined
    if (entry !== undefined) return this.#writeInstance(value, entry)
    if (Array.isArray(value)) return isListPrototype(prototype) ? this.#writeList(value) : this.#refuseKind(value)
    if (isError(value)) return writeError(this, value)
    const builtIn = writeBuiltIn(this, value)
    if (builtIn !== undefined) return builtIn
    if (!isPlainPrototype(prototype) || isExotic(value)) return this.#refuseKind(value)
    return prototype === null ? { $: 'bare', v: this.#plainFields(value) } : this.#writeRecord(value)
  }

  #writeRecord(value: object): WireObject {
    const fields = this.#plainFields(value)
    return Object.hasOwn(fields, TAG) ? { $: 'obj', v: fields } : fields
  }

  #plainFields(value: object): WireObject {
    this.#refuseSymbols(value)
    return this.fields(value)
  }

  #writeList(list: readonly unknown[]): Wire {
    if (list.length > MAX_SPARSE_LENGTH && Object.keys(list).length < list.length) {
      this.refuse(`is a sparse array of ${list.length} elements. Pass a Map.`)
    }
    const out: Wire[] = []
    for (let index = 0; index < list.length; index++) {
      const item = list[index]
      out.push(item !== undefined || Object.hasOwn(list, index) ? this.part(index, item) : { $: 'hole' })
    }
    // indices come first, so the last key tells whether there is any other
    const last = Object.keys(list).at(-1)
    if (last !== undefined && !isIndex(last, list)) this.refuse(`is an array with a field "${last}". Pass an object.`)
    this.#refuseSymbols(list)
    return out
  }

  #writeInstance(value: object, entry: ClassEntry): Wire {
    const rivals = rivalsOf(entry)
    if (rivals.length > 0) {
      const { name } = entry
      const advice = `Give one a name of its own: register(${name}, { name: 'billing.${name}' }).`
      this.refuse(`is a ${name}, and two different classes are called so: ${headsOf(rivals)}. ${advice}`)
    }
    const out = { $: 'class', n: entry.name }
    const plan = planOf(entry)
    switch (plan.kind) {
      case 'unfit':
        return this.refuse(plan.problem)
      case 'error':
        // its entry says so: the class extends Error
        return { ...out, v: writeError(this, value as Error) }
      case 'fields':
        return { ...out, v: this.#plainFields(value) }
      case 'transformer':
        this.closeToReferences(value)
        return { ...out, v: this.fields(toFields(entry.Class, value)) }
      case 'codec':
        this.closeToReferences(value)
        // a level of its own, so that an encode which answers another instance each time comes to an end
        return { ...out, v: this.part({ words: '' }, plan.codec.encode(value)) }
      default:
        return assertNever(plan)
    }
  }

  #refuseSymbols(value: object): void {
    const symbols = Object.getOwnPropertySymbols(value)
    if (symbols.length === 0 || !symbols.some((key) => Object.prototype.propertyIsEnumerable.call(value, key))) return
    this.refuse('has a field with a symbol for its name. Use a text, or register its class with encode and decode.')
  }

  #refuseKind(value: object): never {
    if (types.isPromise(value)) this.refuse('is a Promise. Await it first.')
    const prototype: unknown = Object.getPrototypeOf(value)
    const Class = isObject(prototype) ? classOf(prototype) : undefined
    const name = Class === undefined ? kindOf(value) : nameOf(Class)
    if (Class !== undefined && isDataClass(Class)) {
      const advice = this.#adviceFor(name)
      this.refuse(`is an instance of ${name === '' ? 'a class without a name' : name}, which is not registered. ${advice}`)
    }
    const kind = name === 'Object' ? 'an object with a prototype that is no class' : withArticle(name)
    this.refuse(`is ${kind}. Pass an id, or register its class.`)
  }

  /** What makes a class known at this place: a task names the classes of its parameters, not of what is inside them. */
  #adviceFor(name: string): string {
    const call = `register(${name === '' ? 'Class, { name }' : name})`
    const isWholeArgument = this.#what === undefined && this.#path.length === 1
    if (isWholeArgument) return `Add params: () => [${name === '' ? 'Class' : name}] to its task, or call ${call}.`
    if (this.#what !== 'the context' || this.#path[0] !== 'user') return `Call ${call}.`
    return `Call ${call}, or map it: requestContext({ user: (req) => ({ id: req.user.id }) }).`
  }

  /** The tree with every object that was referred to wrapped in its id. */
  #withIds(node: Wire): Wire {
    if (typeof node !== 'object' || node === null) return node
    const id = this.#ids.get(node)
    let out: Wire
    if (isList(node)) out = node.map((item) => this.#withIds(item))
    else {
      out = {}
      for (const [key, item] of Object.entries(node)) putField(out, key, this.#withIds(item))
    }
    return id === undefined ? out : { $: 'id', n: id, v: out }
  }
}

const isIndex = (key: string, list: readonly unknown[]): boolean => /^\d+$/.test(key) && Number(key) < list.length

/** Array.isArray does not know lists that are read-only. */
const isList = (node: Wire): node is readonly Wire[] => Array.isArray(node)

/** Objects that look plain but hold something that no field shows. */
const isExotic = (value: object): boolean =>
  [types.isExternal, types.isPromise, types.isWeakMap, types.isWeakSet].some((test) => test(value))
