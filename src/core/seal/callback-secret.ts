import { deriveSecret } from './key-ring.js'

/** How the Standard Webhooks specification writes a secret. */
const PREFIX = 'whsec_'
const FEWEST_BYTES = 24
const MOST_BYTES = 64
const PURPOSE = 'errand/1 callback'

/** The bytes of a secret as `whsec_…` writes them; `undefined` for what is none. */
export function readCallbackSecret(text: string): Buffer | undefined {
  if (!text.startsWith(PREFIX)) return undefined
  const base64 = text.slice(PREFIX.length)
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64)) return undefined
  const bytes = Buffer.from(base64, 'base64')
  return bytes.length >= FEWEST_BYTES && bytes.length <= MOST_BYTES ? bytes : undefined
}

/** The secret that goes with a sealing key, for whoever receives callbacks: nobody gets from it to the key. @throws ErrandError `KEY_INVALID` */
export const callbackSecretOf = (sealingKey: string): string => `${PREFIX}${deriveSecret(sealingKey, PURPOSE).toString('base64')}`
