import { refusal } from '../problem.js'

/** Printable ASCII in quotes, as a structured field has it (RFC 9651), with its two escapes; many clients leave the quotes out. */
const QUOTED = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/
const BARE = /^[\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]+$/
const LONGEST = 255

/** Reads the header `Idempotency-Key`; `undefined` without one. @throws Refusal 400 */
export function readIdempotencyKey(header: string | null): string | undefined {
  if (header === null) return undefined
  const quoted = QUOTED.exec(header)?.[1]?.replace(/\\(.)/g, '$1')
  const key = quoted ?? (BARE.test(header) ? header : '')
  if (key !== '' && key.length <= LONGEST) return key
  throw refusal({ status: 400, detail: `Idempotency-Key must be one text of 1 to ${LONGEST} printable ASCII characters in double quotes.` })
}
