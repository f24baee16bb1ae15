import { createHmac, hash, type KeyObject } from 'node:crypto'

/** Bytes that SHA-256 takes at a time: the key of an HMAC fills one such block. */
const BLOCK = 64
const DIGEST = 32
/** Longer contents are sealed by the platform's own HMAC. */
const LONGEST = 16 * 1024
/** UTF-8 has no more for one unit of a text. */
const MOST_BYTES = 3

const INNER = 0x36
const OUTER = 0x5c

/** Room for the block of a key and a content behind it; used within one call, and never beyond it. */
const room = Buffer.alloc(BLOCK + LONGEST)

/**
 * Authenticates contents with one key: HMAC-SHA-256 (RFC 2104, FIPS 198-1) in base64url, made of two digests at once. The platform's own makes
 * an object for each message, which costs as much as the digests; contents of more than 16 KiB go to it.
 */
export class Mac {
  readonly #key: KeyObject
  readonly #inner = Buffer.alloc(BLOCK, INNER)
  /** Behind it is room for a digest. */
  readonly #outer = Buffer.alloc(BLOCK + DIGEST, OUTER)

  /** A key of 64 bytes at most. */
  constructor(key: KeyObject) {
    this.#key = key
    for (const [at, byte] of key.export().entries()) {
      this.#inner.writeUInt8(byte ^ INNER, at)
      this.#outer.writeUInt8(byte ^ OUTER, at)
    }
  }

  /** 43 characters. */
  of(content: Uint8Array): string {
    if (content.length > LONGEST) return createHmac('sha256', this.#key).update(content).digest('base64url')
    room.set(content, BLOCK)
    return this.#ofRoom(content.length)
  }

  /** The same for a text, with its bytes in UTF-8. They hold until anything else is sealed. */
  ofText(text: string): { readonly seal: string; readonly bytes: Uint8Array } {
    if (text.length * MOST_BYTES <= LONGEST) {
      const length = room.write(text, BLOCK)
      return { seal: this.#ofRoom(length), bytes: room.subarray(BLOCK, BLOCK + length) }
    }
    const bytes = Buffer.from(text)
    return { seal: this.of(bytes), bytes }
  }

  #ofRoom(length: number): string {
    room.set(this.#inner)
    this.#outer.write(hash('sha256', room.subarray(0, BLOCK + length), 'binary'), BLOCK, 'latin1')
    return hash('sha256', this.#outer, 'base64url')
  }
}
