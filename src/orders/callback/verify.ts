import { toMs, type Duration } from '../../core/duration.js'
import { readCallbackSecret } from '../../core/seal/callback-secret.js'
import { ErrandError } from '../../errors.js'
import { isSignedBy } from './signature.js'

/** What came in with a callback. */
export interface ReceivedCallback {
  /** Headers of the request, as `fetch` or Node have them. */
  readonly headers: Headers | Readonly<Record<string, string | readonly string[] | undefined>>
  /** The body as it came, byte for byte: before any parser. */
  readonly body: string | Uint8Array
  /** `whsec_…` as `errand key --callbacks` prints it; several while it is being replaced. */
  readonly secret: string | readonly string[]
  /** How old it may be, or how far ahead of the clock of this host. @defaultValue '5m' */
  readonly tolerance?: Duration | undefined
  /** Milliseconds since 1970. @defaultValue Date.now() */
  readonly now?: number | undefined
}

/** A callback that is genuine. */
export interface VerifiedCallback {
  /** The same when a callback is sent again: whoever has seen it already answers 200 and does nothing. */
  readonly id: string
  readonly sentAt: Date
  /** What the body says. */
  readonly payload: unknown
}

const TOLERANCE = '5m'

/**
 * For receivers of callbacks: whether this one comes from who knows the secret, and is not an old one that somebody sends again. Any
 * library for Standard Webhooks does the same.
 * @throws ErrandError `CALLBACK_FORGED`, to be answered with 400; `OPTION_INVALID` for a secret that is none, or a body that was parsed before
 * @example
 * app.post('/done', express.text({ type: '*' + '/*' }), (req, res) => {
 *   const { id, payload } = verifyCallback({ headers: req.headers, body: req.body, secret: process.env.CALLBACK_SECRET })
 * })
 */
export function verifyCallback({ headers, body, secret, tolerance = TOLERANCE, now = Date.now() }: ReceivedCallback): VerifiedCallback {
  const secrets = [secret].flat().map(readSecret)
  const text = textOf(body)
  const [id, timestamp, signature] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => headerOf(headers, name))
  if (id === undefined || timestamp === undefined || signature === undefined) throw forged('webhook-id, webhook-timestamp or webhook-signature is missing')
  if (!/^\d{1,12}$/.test(timestamp)) throw forged('webhook-timestamp is no number of seconds')
  // first of all: nothing of a forged one is worth a word
  if (!isSignedBy(signature, { id, timestamp, body: text }, secrets)) throw forged('no signature fits its id, time and body')
  const sentAt = Number(timestamp) * 1000
  if (Math.abs(now - sentAt) > toMs(tolerance, 'verifyCallback() tolerance')) throw forged('it was sent too long ago, or the clocks differ')
  return { id, sentAt: new Date(sentAt), payload: parse(text) }
}

/** What a server hands over may be anything, whatever the types say. */
function textOf(body: unknown): string {
  if (typeof body === 'string') return body
  if (body instanceof Uint8Array) return Buffer.from(body).toString('utf8')
  if (body === undefined || body === null) throw forged('it has no body')
  throw new ErrandError('OPTION_INVALID', `verifyCallback() body must be the text or the bytes as they came, and was parsed before. Keep parsers off this route: express.text({ type: '*/*' }).`)
}

function readSecret(text: string): Buffer {
  const bytes = typeof text === 'string' ? readCallbackSecret(text) : undefined
  if (bytes !== undefined) return bytes
  throw new ErrandError('OPTION_INVALID', 'verifyCallback() secret must be whsec_ and base64 of 24 to 64 bytes, as `errand key --callbacks` prints it.')
}

function headerOf(headers: ReceivedCallback['headers'], name: string): string | undefined {
  if (headers instanceof Headers) return headers.get(name) ?? undefined
  const value = headers[name] ?? Object.entries(headers).find(([given]) => given.toLowerCase() === name)?.[1]
  return typeof value === 'string' ? value : value?.[0]
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw forged('its body is no JSON')
  }
}

const forged = (why: string): ErrandError => new ErrandError('CALLBACK_FORGED', `The callback is not accepted: ${why}. Answer 400.`)
