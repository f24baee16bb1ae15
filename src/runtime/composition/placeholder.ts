import { ErrandError } from '../../errors.js'

/** Stands for a value that is not there yet. */
export interface Placeholder {
  /** What is passed whole to a task. */
  readonly stand: object
  /** What somebody was told who looked into it. */
  readonly misuse: () => ErrandError | undefined
}

/** A new placeholder for `what`: whoever looks into it is refused. */
export function createPlaceholder(what: string): Placeholder {
  let misuse: ErrandError | undefined
  const refuse = (): never => {
    misuse = new ErrandError(
      'PLACEHOLDER_READ',
      `Cannot look into ${what}: it is not there yet, and this stands for it. Pass it whole as an argument of the task; the task can look into it.`,
    )
    throw misuse
  }
  return { stand: new Proxy({}, Object.fromEntries(TRAPS.map((trap) => [trap, refuse]))), misuse: () => misuse }
}

const TRAPS: readonly (keyof ProxyHandler<object>)[] = [
  'get',
  'set',
  'has',
  'ownKeys',
  'deleteProperty',
  'defineProperty',
  'getOwnPropertyDescriptor',
  'getPrototypeOf',
  'setPrototypeOf',
  'isExtensible',
  'preventExtensions',
]

/** The arguments with `value` in place of a placeholder, also inside plain objects and lists; only what holds one is copied. */
export function fillIn(args: readonly unknown[], stand: object, value: unknown): readonly unknown[] {
  return args.map((argument) => filled(argument, stand, value, new Set()))
}

function filled(given: unknown, stand: object, value: unknown, above: Set<unknown>): unknown {
  if (given === stand) return value
  if (typeof given !== 'object' || given === null || above.has(given)) return given
  above.add(given)
  const copy = copyWith(given, (part) => filled(part, stand, value, above))
  above.delete(given)
  return copy
}

function copyWith(given: object, fill: (part: unknown) => unknown): unknown {
  if (Array.isArray(given)) {
    const list: unknown[] = given.map(fill)
    return list.some((item, index) => item !== given[index]) ? list : given
  }
  if (Object.getPrototypeOf(given) !== Object.prototype) return given
  const entries = Object.entries(given).map(([name, part]) => [name, part, fill(part)] as const)
  return entries.some(([, part, full]) => part !== full) ? Object.fromEntries(entries.map(([name, , full]) => [name, full])) : given
}
