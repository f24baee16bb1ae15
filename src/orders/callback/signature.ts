import { createHmac, timingSafeEqual } from 'node:crypto'

/** What is signed, after the Standard Webhooks specification. */
export interface SignedParts {
  /** Of the callback, the same however often it is sent. */
  readonly id: string
  /** Seconds since 1970, as text. */
  readonly timestamp: string
  readonly body: string
}

const VERSION = 'v1'

/** The value of `webhook-signature`: one signature for each secret, any of which a receiver may know. */
export const signatureOf = (parts: SignedParts, secrets: readonly Buffer[]): string =>
  secrets.map((secret) => `${VERSION},${macOf(parts, secret).toString('base64')}`).join(' ')

/** Whether one of the signatures in `signature` was made with one of `secrets`. */
export function isSignedBy(signature: string, parts: SignedParts, secrets: readonly Buffer[]): boolean {
  const expected = secrets.map((secret) => macOf(parts, secret))
  let isValid = false
  for (const one of signature.split(' ')) {
    const [version, base64 = ''] = one.split(',')
    const mac = Buffer.from(base64, 'base64')
    if (version !== VERSION) continue
    // every one is compared whole, so that the time tells nothing
    for (const own of expected) isValid = (mac.length === own.length && timingSafeEqual(mac, own)) || isValid
  }
  return isValid
}

const macOf = ({ id, timestamp, body }: SignedParts, secret: Buffer): Buffer =>
  createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest()
