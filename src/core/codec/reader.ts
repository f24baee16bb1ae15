import { ErrandError } from '../../errors.js'

/** What the readers of single tags may ask of the walk they are part of. */
export interface Reader {
  /** Reads a value that is part of the current one. */
  part(node: unknown): unknown
  /** Reads the parts of an object in place; also of one that owns `$`, which is data here. */
  fields(node: unknown): Record<string, unknown>
}

/** A tag as it was parsed. */
export type TagNode = Readonly<Record<string, unknown>>

/** Answers the value; hands it to `keep` before it reads parts that may refer back to it. */
export type TagReader = (reader: Reader, node: TagNode, keep: <T>(value: T) => T) => unknown

/** @throws ErrandError `VALUE_UNREADABLE`; nothing of the values is in the message */
export function unreadable(problem: string, advice: string, cause?: unknown): never {
  const options = cause === undefined ? {} : { cause }
  throw new ErrandError('VALUE_UNREADABLE', `Cannot read a value in a message: ${problem}. ${advice}`, options)
}

/** For what this codec never writes. */
export function malformed(problem: string): never {
  return unreadable(problem, 'Another version or another program wrote it, or it was altered; send it again from this version.')
}

/** A name from a message, short enough to show. */
export const shown = (name: unknown): string => JSON.stringify(String(name).slice(0, 60))

export function textOf(node: TagNode, key: string): string {
  const value = node[key]
  return typeof value === 'string' ? value : malformed(`a ${shown(node['$'])} tag without the text it needs`)
}

export function listOf(node: TagNode, length?: number): unknown[] {
  const value = node['v']
  const fits = Array.isArray(value) && (length === undefined || value.length === length)
  return fits ? value : malformed(`a ${shown(node['$'])} tag without the list it needs`)
}
