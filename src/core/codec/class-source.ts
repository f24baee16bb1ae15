/** A class whose constructor is nobody's business here. */
export type AnyClass = (abstract new (...args: never[]) => object) & { readonly prototype: object }

export function isClass(value: unknown): value is AnyClass {
  return typeof value === 'function' && typeof value.prototype === 'object' && value.prototype !== null
}

/** The name of a class; `''` for one without, also when a static member hides it. */
export const nameOf = (Class: AnyClass): string => (typeof Class.name === 'string' ? Class.name : '')

/** The class whose instances have `prototype`, or `undefined` when no class stands behind it. */
export function classOf(prototype: object): AnyClass | undefined {
  const own: unknown = Object.hasOwn(prototype, 'constructor') ? Reflect.get(prototype, 'constructor') : undefined
  return isClass(own) && own.prototype === prototype ? own : undefined
}

/**
 * Whether a class is the platform's own (String, Map, URL, Buffer …): its instances hold more than their fields. Those of Node
 * that are written in JavaScript are told by being what the global of their name is.
 */
export function isPlatformClass(Class: AnyClass): boolean {
  if (/\{\s*\[native code\]\s*\}\s*$/.test(sourceOf(Class))) return true
  const name = nameOf(Class)
  return Object.hasOwn(globalThis, name) && Reflect.get(globalThis, name) === Class
}

/** Whether a class is of the application and made of data; streams, sockets and other emitters are not. */
export function isDataClass(Class: AnyClass): boolean {
  return !isPlatformClass(Class) && !['on', 'emit', 'removeListener'].every((name) => hasMethod(Class, name))
}

/** Asks for the property, not its value: an accessor that runs on a prototype may throw. */
const hasMethod = (Class: AnyClass, name: string): boolean =>
  chainOf(Class).some((link) => typeof Object.getOwnPropertyDescriptor(link.prototype, name)?.value === 'function')

/** The class and what it extends, nearest first. */
export function chainOf(Class: AnyClass): AnyClass[] {
  const chain: AnyClass[] = []
  for (let current: unknown = Class; isClass(current); current = Object.getPrototypeOf(current)) chain.push(current)
  return chain
}

/** Whether both are one class that was evaluated twice, for example once as ESM and once as CommonJS. */
export function isSameSource(one: AnyClass, other: AnyClass): boolean {
  if (one === other) return true
  const [a, b] = [chainOf(one), chainOf(other)]
  return a.length === b.length && a.every((Class, index) => sourceOf(Class) === sourceOf(b[index] ?? Class))
}

/** `class User extends Person`, to tell apart classes of one name. */
export function headOf(Class: AnyClass): string {
  const head = sourceOf(Class).split('{')[0]?.trim().replace(/\s+/g, ' ') ?? ''
  return head.startsWith('class') && head.length < 100 ? head : `class ${nameOf(Class)}`
}

const COMMENTS_AND_TEXTS =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`/g
const PRIVATE_NAME = /(?:^|[\s.;{}*(,!])#[\p{ID_Start}$_]/u
/** A use is looked for in the raw text too: a quote inside a regular expression can mislead the removal of texts. */
const PRIVATE_USE = /\bthis\.#[\p{ID_Start}$_]/u
/** What TypeScript, Babel, swc and esbuild make of private members for older targets. */
const PRIVATE_LOWERED = /_class_?private_?(?:field|method)|__private(?:add|get|set|method)\b/i

/**
 * Whether instances hold `#private` members, which nothing outside the class can copy. Read from the source text: the
 * language has no other way to ask. An error on the side of "yes" costs a refusal with an explanation, never a value.
 */
export function hasPrivateMembers(Class: AnyClass): boolean {
  return chainOf(Class).some((link) => {
    const source = sourceOf(link)
    const code = source.replace(COMMENTS_AND_TEXTS, ' ')
    return PRIVATE_NAME.test(code) || PRIVATE_USE.test(source) || PRIVATE_LOWERED.test(code)
  })
}

const sourceOf = (Class: AnyClass): string => Function.prototype.toString.call(Class)
