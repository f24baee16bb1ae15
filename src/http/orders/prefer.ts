/** What a client would like, as far as orders can do it (RFC 7240). */
export interface Preferences {
  /** Answer at once, by 202. */
  readonly isAsync: boolean
  /** Wait for the end so many seconds; `undefined` where it did not ask. */
  readonly waitSeconds: number | undefined
  /** Lead to what a completed order made, by 303. */
  readonly isRedirected: boolean
}

/** Longer than any list of preferences. */
const LONGEST = 1_000
/** Seconds; RFC 7240 names no bound, and a number that is larger means "for ever". */
const DIGITS = /^[0-9]{1,9}$/

/** Reads the header; what cannot be understood is passed over, as the standard asks, and of two values of one preference the first holds. */
export function readPrefer(header: string | null): Preferences {
  const found = new Map<string, string>()
  for (const part of splitOutsideQuotes((header ?? '').slice(0, LONGEST), ',')) {
    const [preference = ''] = splitOutsideQuotes(part, ';')
    const [, name = '', value = ''] = /^\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*(?:=\s*(.*?)\s*)?$/.exec(preference) ?? []
    const key = name.toLowerCase()
    if (key !== '' && !found.has(key)) found.set(key, value.replace(/^"(.*)"$/, '$1'))
  }
  const wait = found.get('wait') ?? ''
  return {
    isAsync: found.get('respond-async') === '',
    waitSeconds: DIGITS.test(wait) ? Number(wait) : undefined,
    isRedirected: found.get('redirect') === '',
  }
}

function splitOutsideQuotes(text: string, at: string): string[] {
  const parts = ['']
  let isQuoted = false
  for (const letter of text) {
    if (letter === '"') isQuoted = !isQuoted
    if (letter === at && !isQuoted) parts.push('')
    else parts[parts.length - 1] += letter
  }
  return parts
}
