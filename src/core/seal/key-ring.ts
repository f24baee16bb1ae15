import { createSecretKey, hkdfSync, randomBytes, type KeyObject } from 'node:crypto'
import { ErrandError } from '../../errors.js'
import { Mac } from './mac.js'

/** One sealing key: never its own bytes, only what was derived from them. */
export interface SealKey {
  /** Names the key in messages, so that the right one is found while keys are being replaced. */
  readonly id: string
  /** Authenticates messages (HMAC-SHA-256). */
  readonly mac: Mac
  /** Encrypts parts of messages (AES-256-GCM). */
  readonly box: KeyObject
  /** Signs texts that are handed to people (HMAC-SHA-256). */
  readonly text: KeyObject
}

/** The sealing keys of an application. */
export interface KeyRing {
  /** Seals everything new. */
  readonly sealing: SealKey
  /** A key that may open, by its id. */
  find(id: string): SealKey | undefined
}

/** What the id of a key may be: safe in a message, a log line and a file name. */
export const KEY_ID = /^[A-Za-z0-9_-]{1,16}$/

const KEY_BYTES = 32

/** 24 bits in six characters: enough to tell the keys of one application apart. */
const RANDOM_ID_BYTES = 3

/** The version of the format is part of the derivation: a seal of one version never holds in another. */
const PURPOSE = { mac: 'errand/1 mac', box: 'errand/1 box', text: 'errand/1 text' }

/**
 * Reads sealing keys of the form `id:base64` with 32 bytes each. The first one seals, all of them open: to replace a key, put
 * the new one first and keep the old one until the messages sealed with it are done.
 * @throws ErrandError `KEY_INVALID`, `KEY_MISSING` for an empty list; no part of a key is ever shown
 */
export function parseKeyRing(texts: readonly string[]): KeyRing {
  const keys = new Map<string, SealKey>()
  for (const [index, text] of texts.entries()) {
    const which = `Sealing key ${index + 1} of ${texts.length}`
    const key = parseKey(text, which)
    if (keys.has(key.id)) throw invalid(`${which} has the id "${key.id}", as another one before it. Give each an id of its own.`)
    keys.set(key.id, key)
  }
  const [sealing] = keys.values()
  if (sealing === undefined) {
    throw new ErrandError('KEY_MISSING', 'There is no sealing key. Make one with "errand key" and put it under "keys".')
  }
  return Object.freeze({ sealing, find: (id: string) => keys.get(id) })
}

/** A new sealing key with 32 random bytes and a random id, in the form that {@link parseKeyRing} reads. Keep it secret. */
export function generateKey(): string {
  return `${randomBytes(RANDOM_ID_BYTES).toString('hex')}:${randomBytes(KEY_BYTES).toString('base64')}`
}

/** What is derived for `purpose` from a sealing key; the key cannot be found from it. @throws ErrandError `KEY_INVALID` */
export function deriveSecret(text: string, purpose: string): Buffer {
  return derived(parseSecret(text, 'The sealing key').bytes, purpose)
}

function parseKey(text: unknown, which: string): SealKey {
  const { id, bytes } = parseSecret(text, which)
  return deriveKey(id, bytes)
}

function parseSecret(text: unknown, which: string): { readonly id: string; readonly bytes: Buffer } {
  if (typeof text !== 'string') throw invalid(`${which} is not a text. It must be "id:base64"; make one with "errand key".`)
  const colon = text.indexOf(':')
  // a text without a colon may be the bare secret, so it is not shown
  const id = colon === -1 ? '' : text.slice(0, colon)
  if (!KEY_ID.test(id)) {
    throw invalid(`${which} has no valid id before a colon: 1 to 16 of A-Z, a-z, 0-9, "_" and "-". Make one with "errand key".`)
  }
  const bytes = decodeKey(text.slice(colon + 1))
  if (bytes === undefined) throw invalid(`${which} ("${id}") is not base64 of ${KEY_BYTES} bytes. Make one with "errand key".`)
  return { id, bytes }
}

/** Strict, since Node skips characters that are not base64: half a key must not pass for a key. */
function decodeKey(base64: string): Buffer | undefined {
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(base64)) return undefined
  const bytes = Buffer.from(base64, 'base64')
  return bytes.length === KEY_BYTES ? bytes : undefined
}

/** Sub-keys by HKDF-SHA-256 (RFC 5869), so that one secret is never used for two purposes. */
function deriveKey(id: string, secret: Buffer): SealKey {
  const derive = (purpose: string): KeyObject => createSecretKey(derived(secret, purpose))
  return Object.freeze({ id, mac: new Mac(derive(PURPOSE.mac)), box: derive(PURPOSE.box), text: derive(PURPOSE.text) })
}

const derived = (secret: Buffer, purpose: string): Buffer => Buffer.from(hkdfSync('sha256', secret, '', purpose, KEY_BYTES))

const invalid = (message: string): ErrandError => new ErrandError('KEY_INVALID', message)
