import type { Context } from '../core/context.js'

/** Shorter values are words that stand in texts by chance. */
const SHORTEST_SECRET = 8

/** The secret texts of a request: the values of its secret headers, and the token behind a scheme such as `Bearer`. */
export function secretsOf(context: Context | undefined, secretHeaders: readonly string[]): readonly string[] {
  if (context === undefined) return []
  const values = secretHeaders.map((name) => context.headers[name] ?? '')
  const tokens = values.flatMap((value) => [value, ...value.split(/[\s;=,]+/)])
  return tokens.filter((text) => text.length >= SHORTEST_SECRET).sort((a, b) => b.length - a.length)
}

/** `text` with every secret replaced. */
export function redactText(text: string, secrets: readonly string[]): string {
  return secrets.reduce((clean, secret) => clean.replaceAll(secret, '***'), text)
}

/** The error itself when no secret stands in its texts, else a copy without them: HTTP clients like to quote the headers they sent. */
export function redactError(error: unknown, secrets: readonly string[]): unknown {
  if (secrets.length === 0 || !(error instanceof Error)) return error
  if (!secrets.some((secret) => texts(error).includes(secret))) return error
  const copy = Object.create(Object.getPrototypeOf(error) as object) as Error // same class, own fields below
  for (const key of Object.getOwnPropertyNames(error)) {
    const value: unknown = Reflect.get(error, key)
    Object.defineProperty(copy, key, { value: clean(value, secrets), enumerable: key !== 'stack' && key !== 'message', configurable: true, writable: true })
  }
  return copy
}

function clean(value: unknown, secrets: readonly string[]): unknown {
  if (typeof value === 'string') return redactText(value, secrets)
  if (value instanceof Error) return redactError(value, secrets)
  if (typeof value !== 'object' || value === null) return value
  // deep data on an error (a request, a response) is not worth the risk
  return secrets.some((secret) => safeJson(value).includes(secret)) ? '***' : value
}

function texts(error: Error): string {
  return Object.getOwnPropertyNames(error)
    .map((key) => {
      const value: unknown = Reflect.get(error, key)
      if (value instanceof Error) return texts(value)
      return typeof value === 'string' ? value : safeJson(value)
    })
    .join('\n')
}

function safeJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? ''
  } catch {
    return ''
  }
}
