import { createHash } from 'node:crypto'
import { ErrandError } from '../errors.js'

/** The same for JSON objects that say the same, in whichever order of their keys. @throws ErrandError `VALUE_UNSERIALIZABLE` for what is none */
export function fingerprintOf(value: Readonly<Record<string, unknown>>): string {
  try {
    return createHash('sha256').update(JSON.stringify(value, inOrder)).digest('base64url')
  } catch (cause) {
    throw new ErrandError('VALUE_UNSERIALIZABLE', 'Cannot place an order with a key: JSON has no form for what it asks. Give it an object of plain values.', { cause })
  }
}

function inOrder(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}
