import { isDeepStrictEqual } from 'node:util'
import { captureCarriers } from '../core/carrier.js'
import { context } from '../core/context.js'
import { ErrandError } from '../errors.js'
import { around } from '../runtime/around.js'
import { enqueue } from '../runtime/background.js'

interface Surroundings {
  readonly call: () => Promise<unknown>
  /** Resolves when the call has run. */
  readonly idle: () => Promise<void>
  /** Why it did not run, where that is known. */
  readonly failureOf: (id: string) => unknown
}

/** See `Testing.assertSameContext`. */
export async function assertSameContext({ call, idle, failureOf }: Surroundings): Promise<void> {
  const seen = new Map<string, object>()
  const leave = around((run, { id }) => {
    seen.set(id, look())
    return run()
  })
  try {
    const here = look()
    const { id, task } = await enqueue(call)
    await idle()
    const there = seen.get(id)
    if (there === undefined) throw neverRan(task, failureOf(id))
    const differing = differences(here, there, '')
    if (differing.length > 0) throw differs(task, differing)
  } finally {
    leave()
  }
}

/** Everything of the caller that code can see here: a plain copy, since getters and namespaces change. */
function look(): object {
  return { ...context(), ...Object.fromEntries(Object.entries(captureCarriers() ?? {}).map(([name, state]) => [`carrier "${name}"`, state])) }
}

/** Where two values differ, by path and kind. Never the values: they may be secret. */
function differences(here: unknown, there: unknown, path: string): readonly string[] {
  if (isDeepStrictEqual(here, there)) return []
  const [ours, theirs] = [kindOf(here), kindOf(there)]
  if (ours !== theirs) return [`${path} is ${ours} here and ${theirs} there`]
  if (!isBranch(here) || !isBranch(there)) return [`${path} has another value there`]
  const names = new Set([...Object.keys(here), ...Object.keys(there)])
  const inside = [...names].flatMap((name) => differences(Reflect.get(here, name), Reflect.get(there, name), pathOf(path, name, here)))
  return inside.length > 0 ? inside : [`${path} differs there`]
}

const isBranch = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && (Array.isArray(value) || Object.keys(value).length > 0)

function pathOf(path: string, name: string, parent: object): string {
  if (Array.isArray(parent)) return `${path}[${name}]`
  return path === '' ? name : `${path}.${name}`
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'missing'
  if (value === null || typeof value !== 'object') return value === null ? 'null' : `a ${typeof value}`
  // an object without a prototype has no constructor
  const name = (value as { readonly constructor?: { readonly name: string } }).constructor?.name ?? 'Object'
  return name === 'Object' ? 'a plain object' : `a ${name}`
}

function neverRan(task: string, cause: unknown): ErrandError {
  const why = cause === undefined ? 'it is delayed; advance the clock, or call it without the delay' : 'it was refused before its body; see the cause'
  return new ErrandError('CONTEXT_DIFFERS', `Cannot compare the context of ${task}: it did not run, because ${why}.`, { cause })
}

function differs(task: string, differing: readonly string[]): ErrandError {
  return new ErrandError(
    'CONTEXT_DIFFERS',
    `${task} does not see the context of its caller: ${differing.join('; ')}. ` +
      'Register the class of a user, allow a header ("headers" of the configuration or of requestContext()), or carry the state with carry().',
  )
}
