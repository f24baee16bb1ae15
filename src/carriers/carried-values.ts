import { decodeParsed, needsDecoding } from '../core/codec/decode.js'
import { encodeValue } from '../core/codec/encode.js'
import { ErrandError } from '../errors.js'

/** Values by key, each as JSON text: copied at the moment of the call. */
export type CarriedValues = Readonly<Record<string, string>>

/**
 * Copies the values of `entries` that can travel.
 * @throws ErrandError `VALUE_UNSERIALIZABLE` for one that cannot, when `isChosen` says that the application named its keys
 */
export function copyValues(entries: Iterable<readonly [string, unknown]>, isChosen: boolean, where: string): CarriedValues {
  const copies = new Map<string, string>()
  for (const [key, value] of entries) {
    if (value === undefined) continue
    const text = isChosen ? copyOf(key, value, where) : copyIfPossible(key, value, where)
    if (text !== undefined) copies.set(key, text)
  }
  // not by assignment: a key may be "__proto__"
  return Object.fromEntries(copies)
}

/** The values that were copied. @throws ErrandError `CONTEXT_UNRESTORABLE`, `VALUE_UNREADABLE` */
export function readValues(copies: unknown, where: string): [string, unknown][] {
  if (typeof copies !== 'object' || copies === null) throw unreadable(where)
  return Object.entries(copies).map(([key, text]: [string, unknown]) => [key, readValue(text, where)])
}

function readValue(text: unknown, where: string): unknown {
  if (typeof text !== 'string') throw unreadable(where)
  const parsed: unknown = JSON.parse(text)
  return needsDecoding(text) ? decodeParsed(parsed) : parsed
}

const copyOf = (key: string, value: unknown, where: string): string =>
  encodeValue(value, 'Cannot send the call', `"${key}" of ${where}`)

/** What cannot travel unchanged (functions, sockets, instances of unknown classes) stays behind: nobody asked for it by name. */
function copyIfPossible(key: string, value: unknown, where: string): string | undefined {
  try {
    return copyOf(key, value, where)
  } catch (error) {
    if (error instanceof ErrandError && error.code === 'VALUE_UNSERIALIZABLE') return undefined
    throw error
  }
}

const unreadable = (where: string): ErrandError =>
  new ErrandError(
    'CONTEXT_UNRESTORABLE',
    `Cannot restore ${where}: its state is not what this version writes. Server and worker must run the same version.`,
  )
