import { createHmac, timingSafeEqual } from 'node:crypto'
import type { KeyRing, SealKey } from './key-ring.js'

/** Signs texts that leave the application and come back, such as cookies and links. Anybody can read them; nobody else can make them. */
export interface Signer {
  /** `text` with its signature: `<text>.<key id>.<HMAC-SHA-256, base64url>`. */
  sign(text: string, purpose: string): string
  /** The text of what {@link sign} made for the same purpose; `undefined` for anything else. */
  verify(signed: string, purpose: string): string | undefined
}

const SIGNED = /^(.{1,1000})\.([A-Za-z0-9_-]{1,16})\.([A-Za-z0-9_-]{43})$/

/** What one application signs in one environment holds in no other. */
export function createSigner(keys: KeyRing, { app, env }: { readonly app: string; readonly env: string }): Signer {
  const macOf = (text: string, purpose: string, key: SealKey): string =>
    createHmac('sha256', key.text).update(JSON.stringify([app, env, purpose, text])).digest('base64url')
  return {
    sign: (text, purpose) => `${text}.${keys.sealing.id}.${macOf(text, purpose, keys.sealing)}`,
    verify(signed, purpose) {
      const [, text = '', id = '', mac = ''] = SIGNED.exec(signed) ?? []
      const key = keys.find(id)
      if (key === undefined) return undefined
      return timingSafeEqual(Buffer.from(mac), Buffer.from(macOf(text, purpose, key))) ? text : undefined
    },
  }
}
