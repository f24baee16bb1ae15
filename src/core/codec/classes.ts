import { ErrandError } from '../../errors.js'
import { refuseUnknownKeys, show } from '../options.js'
import { processState } from '../process-state.js'
import { typesOfFields } from './class-transformer.js'
import { headOf, isClass, isDataClass, isPlatformClass, isSameSource, nameOf } from './class-source.js'
import type { AnyClass } from './class-source.js'

/** How instances of a registered class travel. */
export interface RegisterOptions<T> {
  /**
   * The name in the message; the name of the class when left out. Give one when classes share a name or a minifier renames
   * them. Both processes must use the same.
   */
  readonly name?: string
  /** Turns an instance into a value a message can hold. Needed for classes with `#private` fields; goes with `decode`. */
  readonly encode?: (value: T) => unknown
  /** Makes the instance again from what `encode` gave. */
  readonly decode?: (data: unknown) => T
}

/** The pair given to {@link register}. */
export interface ClassCodec {
  readonly encode: (value: unknown) => unknown
  readonly decode: (data: unknown) => unknown
}

/** A class whose instances may travel. */
export interface ClassEntry {
  readonly Class: AnyClass
  readonly name: string
  /** The name was given, not taken from the class: it wins over a class that happens to be called so. */
  readonly explicit: boolean
  readonly codec: ClassCodec | undefined
}

interface Classes {
  readonly byPrototype: Map<object, ClassEntry>
  /** Classes that differ under one name; a class evaluated twice stands here once. */
  readonly byName: Map<string, ClassEntry[]>
  /** Classes whose `@Type` fields were not followed yet. */
  readonly unfollowed: Set<AnyClass>
}

const state = processState('classes', (): Classes => {
  const classes: Classes = { byPrototype: new Map(), byName: new Map(), unfollowed: new Set() }
  put(classes, { Class: ErrandError, name: 'ErrandError', explicit: true, codec: undefined })
  classes.unfollowed.clear()
  return classes
})

/**
 * Lets instances of `Class` travel in arguments, results and contexts, wherever they stand. Needed only for classes that no
 * task names in its parameters; call it in a module that both processes load. Instances come back with their prototype and
 * own enumerable fields, without a run of the constructor; subclasses are registered on their own.
 * @throws ErrandError `OPTION_INVALID` when the name is taken by another class, or `encode` and `decode` are not both there
 * @example
 * register(Money, { encode: (money) => money.toString(), decode: (text) => Money.parse(String(text)) })
 */
export function register<T extends object>(Class: { readonly prototype: T }, options: RegisterOptions<T> = {}): void {
  const given: unknown = Class
  if (!isClass(given) || isPlatformClass(given)) {
    throw new ErrandError('OPTION_INVALID', `register() takes a class of your own, got ${show(given)}.`)
  }
  const previous = state.byPrototype.get(given.prototype)
  const name = resolveName(given, options, previous)
  refuseTakenName(given, name, options.name !== undefined)
  const codec = resolveCodec(name, options) ?? previous?.codec
  if (previous !== undefined) drop(previous)
  put(state, { Class: given, name, explicit: options.name !== undefined || previous?.explicit === true, codec })
}

/**
 * Lets instances of the classes among `types` travel: those of `design:paramtypes` or `params`, lists flattened. What is
 * not a class of the application (String, Object, Map, Buffer, Readable …) is passed over.
 */
export function adoptClasses(types: readonly unknown[]): void {
  for (const type of types) {
    if (Array.isArray(type)) adoptClasses(type)
    else if (isClass(type) && isDataClass(type)) adopt(type)
  }
}

/** The entry of the class whose prototype this is. */
export function entryOfPrototype(prototype: object): ClassEntry | undefined {
  const entry = state.byPrototype.get(prototype)
  if (entry !== undefined || !followFieldTypes()) return entry
  return state.byPrototype.get(prototype)
}

/** The classes that `name` may mean: none, the one, or several among which nobody may choose. */
export function entriesOfName(name: string): readonly ClassEntry[] {
  if (!state.byName.has(name)) followFieldTypes()
  const entries = state.byName.get(name) ?? []
  const named = entries.filter((entry) => entry.explicit)
  return named.length > 0 ? named : entries
}

/** The classes that stand in the way of `entry` travelling under its name; empty when none does. */
export function rivalsOf(entry: ClassEntry): readonly ClassEntry[] {
  const entries = entriesOfName(entry.name)
  return entries.length === 1 && entries.every((one) => isSameSource(one.Class, entry.Class)) ? [] : withEntry(entries, entry)
}

/** `class User and class User extends Person`, for the error about two classes of one name. */
export const headsOf = (entries: readonly ClassEntry[]): string => entries.map(({ Class }) => headOf(Class)).join(' and ')

function withEntry(entries: readonly ClassEntry[], entry: ClassEntry): readonly ClassEntry[] {
  return entries.some((one) => isSameSource(one.Class, entry.Class)) ? entries : [...entries, entry]
}

function resolveName(Class: AnyClass, options: { readonly name?: string }, previous: ClassEntry | undefined): string {
  refuseUnknownKeys('register()', options, ['name', 'encode', 'decode'])
  const name = options.name ?? previous?.name ?? nameOf(Class)
  if (typeof name !== 'string' || name === '') {
    throw new ErrandError('OPTION_INVALID', 'register() needs a name for a class that has none: register(Class, { name }).')
  }
  if (previous?.explicit === true && previous.name !== name) {
    const names = `"${previous.name}" and "${name}"`
    throw new ErrandError('OPTION_INVALID', `register() gives ${headOf(Class)} two names, ${names}. Keep one.`)
  }
  return name
}

function refuseTakenName(Class: AnyClass, name: string, explicit: boolean): void {
  const rival = explicit && state.byName.get(name)?.find((one) => one.explicit && !isSameSource(one.Class, Class))
  if (!rival) return
  const classes = `${headOf(rival.Class)} and ${headOf(Class)}`
  throw new ErrandError('OPTION_INVALID', `register() gives the name "${name}" to two classes, ${classes}. Give each its own.`)
}

function resolveCodec<T>(name: string, { encode, decode }: RegisterOptions<T>): ClassCodec | undefined {
  if (encode === undefined && decode === undefined) return undefined
  if (typeof encode !== 'function' || typeof decode !== 'function') {
    throw new ErrandError('OPTION_INVALID', `register() of "${name}" needs both encode and decode, or neither.`)
  }
  // the entry is found by the prototype of the instance, so encode gets instances of its own class
  return { encode: (value) => encode(value as T), decode }
}

function adopt(Class: AnyClass): void {
  const name = nameOf(Class)
  if (name === '' || state.byPrototype.has(Class.prototype)) return
  put(state, { Class, name, explicit: false, codec: undefined })
}

function put({ byPrototype, byName, unfollowed }: Classes, entry: ClassEntry): void {
  byPrototype.set(entry.Class.prototype, entry)
  unfollowed.add(entry.Class)
  const entries = byName.get(entry.name) ?? []
  const twin = entries.find((one) => one.explicit === entry.explicit && isSameSource(one.Class, entry.Class))
  if (twin === undefined) byName.set(entry.name, [...entries, entry])
}

function drop(entry: ClassEntry): void {
  state.byPrototype.delete(entry.Class.prototype)
  const rest = (state.byName.get(entry.name) ?? []).filter((one) => one !== entry)
  if (rest.length > 0) state.byName.set(entry.name, rest)
  else state.byName.delete(entry.name)
}

/**
 * Adopts the classes that `@Type` of class-transformer names in fields of known classes. Done when a class is looked for and
 * not found, because `@Type(() => Item)` may point to a module that was still loading when its owner was adopted.
 */
function followFieldTypes(): boolean {
  const before = state.byPrototype.size
  // classes that are adopted on the way come in turn too
  for (const Class of state.unfollowed) {
    const types = typesOfFields(Class)
    if (types.complete) state.unfollowed.delete(Class)
    adoptClasses(types.found)
  }
  return state.byPrototype.size > before
}
