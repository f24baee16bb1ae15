import { inspect } from 'node:util'
import { ErrandError } from '../errors.js'

/** Refuses keys that `known` does not have, and names the nearest one it has. */
export function refuseUnknownKeys(where: string, given: object, known: Iterable<string>): void {
  const names = [...known]
  for (const key of Object.keys(given)) {
    if (names.includes(key)) continue
    const near = nearest(key, names)
    const hint = near === undefined ? `It takes: ${names.join(', ')}.` : `Did you mean "${near}"?`
    throw new ErrandError('OPTION_INVALID', `${where} has no option "${key}". ${hint}`)
  }
}

/** A copy without the keys whose value is `undefined`, so that an explicit `undefined` means "the default". */
export function withoutUndefined<T extends object>(given: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const kept = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  // only keys with an undefined value were dropped
  return kept as { [K in keyof T]: Exclude<T[K], undefined> }
}

/** A value as an error message shows it: short, on one line. Never for argument values or secrets. */
export function show(value: unknown): string {
  const text = inspect(value, { depth: 1, breakLength: Infinity, maxStringLength: 60 })
  return text.length > 100 ? `${text.slice(0, 99)}…` : text
}

/** The name within two edits of `wanted`, or `undefined` when none is near. */
export function nearest(wanted: string, names: readonly string[]): string | undefined {
  let best: string | undefined
  let bestDistance = 3
  for (const name of names) {
    const distance = editDistance(wanted.toLowerCase(), name.toLowerCase())
    if (distance < bestDistance) [best, bestDistance] = [name, distance]
  }
  return best
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const substitution = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1)
      current.push(Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[b.length] ?? 0
}
