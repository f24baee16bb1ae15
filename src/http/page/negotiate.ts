/** How an answer is wanted. */
export type Format = 'html' | 'json' | 'events'

const MEDIA: Readonly<Record<string, Format>> = {
  'text/html': 'html',
  'application/xhtml+xml': 'html',
  'application/json': 'json',
  'application/problem+json': 'json',
  'text/event-stream': 'events',
}

/** What an `Accept` header likes best of what there is; HTML where it leaves that open. */
export function formatOf(accept: string | null): Format {
  for (const { name, quality } of preferences(accept)) {
    const format = quality > 0 ? MEDIA[name] : undefined
    if (format !== undefined) return format
  }
  return 'html'
}

/** The best of `known` (tags in lower case) for an `Accept-Language` header: `de` also for `de-AT`; the first where nothing fits. */
export function languageOf(acceptLanguage: string | null, known: readonly string[]): string {
  const wanted = preferences(acceptLanguage)
  const refused = new Set(wanted.filter(({ quality }) => quality === 0).map(({ name }) => name))
  for (const { name, quality } of wanted) {
    const found = quality > 0 ? knownLanguage(name, known) : undefined
    if (found !== undefined && !refused.has(found)) return found
  }
  return known.find((tag) => !refused.has(tag)) ?? known[0] ?? 'en'
}

/** The language of `known` that a tag asks for, also by a prefix of it (RFC 4647, lookup). */
export function knownLanguage(tag: string, known: readonly string[]): string | undefined {
  for (let prefix = tag.toLowerCase(); prefix !== ''; prefix = prefix.slice(0, Math.max(prefix.lastIndexOf('-'), 0))) {
    if (known.includes(prefix)) return prefix
  }
  return undefined
}

interface Preference {
  /** In lower case, without parameters. */
  readonly name: string
  /** From 0, which refuses it, to 1. */
  readonly quality: number
}

/** More than any client sends; the rest is not looked at. */
const MOST = 50

/** The members of a header with weights (RFC 9110, 12.4.2), the best first, and as written where they are equal. */
function preferences(header: string | null): readonly Preference[] {
  if (header === null) return []
  const members = header.slice(0, 2000).split(',', MOST).map(preferenceOf)
  return members.filter(({ name }) => name !== '').sort((a, b) => b.quality - a.quality)
}

function preferenceOf(member: string): Preference {
  const [name = '', ...parameters] = member.split(';').map((part) => part.trim().toLowerCase())
  const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
  const quality = weight === undefined ? 1 : /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(weight) ? Number(weight) : 0
  return { name, quality }
}
