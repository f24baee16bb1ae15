import { createHash } from 'node:crypto'

/** Longer than any list of tags that a client keeps. */
const LONGEST = 4_000

/** The tag of a representation. */
export const entityTag = (text: string): string => `"${createHash('sha256').update(text).digest('base64url').slice(0, 27)}"`

/** Whether the client has that representation already, by its `If-None-Match` (RFC 9110, compared weakly). */
export function isKnownTo(header: string | null, tag: string): boolean {
  if (header === null || header.length > LONGEST) return false
  if (header.trim() === '*') return true
  return [...header.matchAll(/(?:W\/)?("[\x21\x23-\x7e]*")/g)].some(([, opaque]) => opaque === tag)
}
