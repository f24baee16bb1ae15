import type { Carrier } from '../core/carrier.js'
import { clsNamespaces, type ClsNamespace } from '../core/cls-namespaces.js'
import { refuseUnknownKeys, show } from '../core/options.js'
import { ErrandError } from '../errors.js'
import { copyValues, readValues, type CarriedValues } from './carried-values.js'

export type { ClsNamespace } from '../core/cls-namespaces.js'

/**
 * What of a namespace travels: `true` for every value that can, or the keys that must. With `namespace`, that object is used
 * instead of the one cls-hooked lists under the name.
 */
export type ClsHookedChoice =
  | true
  | readonly string[]
  | { readonly namespace: ClsNamespace; readonly keys?: readonly string[] | undefined }

/** The namespaces that travel, by name. */
export type ClsHookedNamespaces = Readonly<Record<string, ClsHookedChoice>>

/** Values by key by namespace. */
type State = Readonly<Record<string, CarriedValues>>

/** What cls-hooked itself keeps among an application's values. */
const OWN_KEYS: ReadonlySet<string> = new Set(['_ns_name', 'id'])

/**
 * Carries cls-hooked namespaces: the body finds the values of the caller, in the same namespace. Without an argument all
 * namespaces travel, with every value that can; with one only the namespaces it names. A listed key whose value cannot travel
 * is an error of the call, `VALUE_UNSERIALIZABLE`; unlisted ones stay behind. States are encrypted in the message.
 *
 * The worker must have a namespace of that name, created in a module that the services import; else the task fails with
 * `CONTEXT_UNRESTORABLE`. cls-hooked keeps a number of its own under the key `id`, so a value of yours under that key travels
 * only when it is listed.
 *
 * @example
 * carry(clsHooked())
 * carry(clsHooked({ app: ['tenant', 'locale'] }))
 * carry(clsHooked({ app: { namespace: getNamespace('app'), keys: ['tenant'] } }))
 * @throws ErrandError `OPTION_INVALID`
 */
export function clsHooked(namespaces?: ClsHookedNamespaces): Carrier<State> {
  const choices = namespaces === undefined ? undefined : Object.entries(namespaces).map(([name, choice]) => resolve(name, choice))
  return {
    name: 'cls-hooked',
    capture: () => capture(choices ?? everything()),
    restore: (state, next) => restore(state, choices, next),
  }
}

interface Resolved {
  readonly name: string
  readonly keys: readonly string[] | undefined
  readonly given: ClsNamespace | undefined
}

function resolve(name: string, choice: ClsHookedChoice): Resolved {
  if (choice === true) return { name, keys: undefined, given: undefined }
  if (isKeys(choice)) return { name, keys: choice, given: undefined }
  if (typeof choice !== 'object' || choice === null) throw refusal(name, choice)
  refuseUnknownKeys(`clsHooked "${name}"`, choice, ['namespace', 'keys'])
  if (!isNamespace(choice.namespace) || (choice.keys !== undefined && !isKeys(choice.keys))) throw refusal(name, choice)
  return { name, keys: choice.keys, given: choice.namespace }
}

const isKeys = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((key) => typeof key === 'string')

const isNamespace = (value: unknown): value is ClsNamespace =>
  typeof value === 'object' &&
  value !== null &&
  ['set', 'runAndReturn', 'bind'].every((method) => typeof Reflect.get(value, method) === 'function')

const refusal = (name: string, choice: unknown): ErrandError =>
  new ErrandError(
    'OPTION_INVALID',
    `clsHooked "${name}" must be true, a list of keys, or { namespace, keys }, got ${show(choice)}.`,
  )

const everything = (): Resolved[] => Object.keys(clsNamespaces()).map((name) => ({ name, keys: undefined, given: undefined }))

function capture(choices: readonly Resolved[]): State | undefined {
  const states: [string, CarriedValues][] = []
  for (const { name, keys, given } of choices) {
    const active = namespaceOf(name, given)?.active
    if (!active) continue
    states.push([name, copyValues(entriesOf(active, keys), keys !== undefined, `the cls-hooked namespace "${name}"`)])
  }
  return states.length === 0 ? undefined : Object.fromEntries(states)
}

function* entriesOf(values: object, keys: readonly string[] | undefined): Generator<readonly [string, unknown]> {
  for (const key of keys ?? allKeys(values)) yield [key, Reflect.get(values, key)]
}

/** Inherited ones too: a nested `run` sees the values around it. */
function allKeys(values: object): string[] {
  const keys: string[] = []
  for (const key in values) {
    if (!OWN_KEYS.has(key)) keys.push(key)
  }
  return keys
}

function restore<T>(state: State, choices: readonly Resolved[] | undefined, next: () => T): T {
  const steps = Object.entries(state).map(([name, copies]) => ({
    namespace: requireNamespace(name, choices?.find((choice) => choice.name === name)?.given),
    values: readValues(copies, `the cls-hooked namespace "${name}"`),
  }))
  return steps.reduceRight((inner, { namespace, values }) => () => runWith(namespace, values, inner), next)()
}

/**
 * Runs `next` in a new context of the namespace that inherits nothing from whatever holds at the moment. Never by `runPromise`,
 * which leaves its context active behind it. What `next` throws goes around cls-hooked, which would attach all values to it.
 */
function runWith<T>(namespace: ClsNamespace, values: readonly (readonly [string, unknown])[], next: () => T): T {
  const run = (): (() => T) =>
    namespace.runAndReturn(() => {
      for (const [key, value] of values) namespace.set(key, value)
      return settle(next)
    })
  return namespace.bind(run, {})()()
}

/** Calls `fn` and answers a function that gives its value or throws what it threw. */
function settle<T>(fn: () => T): () => T {
  try {
    const value = fn()
    return () => value
  } catch (error) {
    return () => {
      throw error
    }
  }
}

function namespaceOf(name: string, given: ClsNamespace | undefined): ClsNamespace | undefined {
  if (given !== undefined) return given
  const namespaces = clsNamespaces()
  return Object.hasOwn(namespaces, name) ? (namespaces[name] ?? undefined) : undefined
}

function requireNamespace(name: string, given: ClsNamespace | undefined): ClsNamespace {
  const namespace = namespaceOf(name, given)
  if (namespace !== undefined) return namespace
  throw new ErrandError(
    'CONTEXT_UNRESTORABLE',
    `Cannot restore the context: this process has no cls-hooked namespace "${name}". ` +
      `Call createNamespace('${name}') in a module that the services import, so that the worker has it too.`,
  )
}
