import { createCipheriv, createDecipheriv, randomFillSync } from 'node:crypto'
import { ErrandError } from '../../errors.js'
import type { Clock } from '../clock.js'
import type { KeyRing, SealKey } from './key-ring.js'
import { Recent } from './recent.js'

const NONCE_BYTES = 12
const TAG_BYTES = 16

/** Random nonces come in batches: drawing each alone costs more than encrypting with it. */
const NONCES_PER_BATCH = 256

/** Users whose secrets are at hand without encrypting or decrypting them again. */
const KEPT = 2000

/** How long one ciphertext stands for the same secrets; who reads the queue can tell so long that they are the same. */
const FRESH_MS = 5 * 60_000

/** Longer texts are seldom seen twice, and would make the memory of 2,000 of them worth noticing. */
const LONGEST_KEPT = 4096

/** What a box holds; a box of one purpose does not open as another. */
export type Purpose = 'headers' | 'context' | 'carriers' | 'arguments' | 'outcome' | 'given' | 'follow-ups'

interface PerPurpose {
  /** What is authenticated with every box of the purpose. */
  readonly bound: Buffer
  /** Boxes by text. */
  readonly sealed: Recent<string>
  /** Texts by box. */
  readonly opened: Recent<string>
}

/**
 * Encrypts and decrypts texts (AES-256-GCM): `<key id>.<nonce, ciphertext and tag in base64url>`. Application, environment and
 * purpose are authenticated with each.
 *
 * Random nonces of 96 bits are safe for 2^32 boxes of one key: replace the key before (at `seal: message` and 1,000 messages a
 * second, once a fortnight; at the default, where boxes are reused, hardly ever).
 */
export class Boxes {
  readonly #keys: KeyRing
  readonly #by: Readonly<Record<Purpose, PerPurpose>>
  readonly #nonces = Buffer.allocUnsafeSlow(NONCE_BYTES * NONCES_PER_BATCH)
  #nextNonce = this.#nonces.length

  constructor(keys: KeyRing, scope: { readonly app: string; readonly env: string }, clock: Clock) {
    const by = (purpose: Purpose): PerPurpose => ({
      bound: Buffer.from(JSON.stringify(['errand/1', scope.app, scope.env, purpose])),
      sealed: new Recent(KEPT, FRESH_MS, clock),
      opened: new Recent(KEPT, FRESH_MS, clock),
    })
    this.#keys = keys
    this.#by = {
      headers: by('headers'),
      context: by('context'),
      carriers: by('carriers'),
      arguments: by('arguments'),
      outcome: by('outcome'),
      given: by('given'),
      'follow-ups': by('follow-ups'),
    }
  }

  /** A box with `text` that nobody has seen before. */
  seal(text: string, purpose: Purpose): string {
    const key = this.#keys.sealing
    const nonce = this.#takeNonce()
    const cipher = createCipheriv('aes-256-gcm', key.box, nonce, { authTagLength: TAG_BYTES })
    cipher.setAAD(this.#by[purpose].bound)
    const bytes = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
    return `${key.id}.${bytes.toString('base64url')}`
  }

  /** A box with `text`, the same one as long as it is fresh: for texts that come again with every call of a user. */
  sealAgain(text: string, purpose: Purpose): string {
    if (text.length > LONGEST_KEPT) return this.seal(text, purpose)
    return this.#by[purpose].sealed.get(text, () => this.seal(text, purpose))
  }

  /** @throws ErrandError `MESSAGE_FORGED` */
  open(box: string, purpose: Purpose): string {
    const dot = box.indexOf('.')
    const key = this.#keys.find(box.slice(0, Math.max(dot, 0)))
    const text = key === undefined ? undefined : this.#decrypt(box.slice(dot + 1), key, purpose)
    if (text !== undefined) return text
    throw new ErrandError(
      'MESSAGE_FORGED',
      `The encrypted ${purpose} of a message cannot be opened: its key is not in the list, or it was made for something else. ` +
        'Keep an old key in "keys" until its messages are done.',
    )
  }

  /** As {@link open}, at no cost for a box that was opened lately. @throws ErrandError `MESSAGE_FORGED` */
  openAgain(box: string, purpose: Purpose): string {
    if (box.length > LONGEST_KEPT) return this.open(box, purpose)
    return this.#by[purpose].opened.get(box, () => this.open(box, purpose))
  }

  #decrypt(base64: string, key: SealKey, purpose: Purpose): string | undefined {
    const bytes = Buffer.from(base64, 'base64url')
    if (bytes.length < NONCE_BYTES + TAG_BYTES) return undefined
    const tagStart = bytes.length - TAG_BYTES
    const decipher = createDecipheriv('aes-256-gcm', key.box, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
    decipher.setAAD(this.#by[purpose].bound)
    decipher.setAuthTag(bytes.subarray(tagStart))
    try {
      return decipher.update(bytes.subarray(NONCE_BYTES, tagStart), undefined, 'utf8') + decipher.final('utf8')
    } catch {
      return undefined // the tag does not fit; Node says no more than that
    }
  }

  #takeNonce(): Buffer {
    if (this.#nextNonce === this.#nonces.length) {
      randomFillSync(this.#nonces)
      this.#nextNonce = 0
    }
    const start = this.#nextNonce
    this.#nextNonce += NONCE_BYTES
    return this.#nonces.subarray(start, this.#nextNonce)
  }
}
