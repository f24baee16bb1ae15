import { timingSafeEqual } from 'node:crypto'
import { ErrandError } from '../../errors.js'
import type { KeyRing, SealKey } from './key-ring.js'

/**
 * A message as bytes: one line that says the version, the key and the seal, then a readable envelope.
 *
 *     errand/1 <key id> <HMAC-SHA-256, base64url>\n
 *     {"v":1,…}
 *
 * The seal covers every byte after the line; the version is part of the key it is made with.
 */
export const VERSION = 1

/** 32 bytes in base64url. */
const MAC_LENGTH = 43

/** `errand/`, a version of up to four digits, a key id, a seal, and what stands between them. */
const LONGEST_LINE = 80

const NEWLINE = 10

const ANY_VERSION = /^errand\/([1-9][0-9]{0,3})(?: |$)/
const LINE = /^errand\/1 ([A-Za-z0-9_-]{1,16}) [A-Za-z0-9_-]{43}$/

/** The bytes of a message with this envelope. */
export function frame(envelope: string, key: SealKey): Buffer {
  const { seal, bytes } = key.mac.ofText(envelope)
  const line = `errand/${VERSION} ${key.id} ${seal}\n`
  const framed = Buffer.allocUnsafe(line.length + bytes.length)
  framed.write(line, 'latin1')
  framed.set(bytes, line.length)
  return framed
}

/**
 * The envelope of a message whose seal is right. Nothing of it is looked at before that is known.
 * @throws ErrandError `MESSAGE_MALFORMED`, `MESSAGE_TOO_NEW`, `MESSAGE_FORGED`
 */
export function unframe(bytes: Buffer, keys: KeyRing): string {
  const lineEnd = bytes.subarray(0, LONGEST_LINE).indexOf(NEWLINE)
  const line = bytes.toString('latin1', 0, lineEnd === -1 ? LONGEST_LINE : lineEnd)
  const id = lineEnd === -1 ? undefined : LINE.exec(line)?.[1]
  if (id === undefined) throw refusalOf(line)
  const key = keys.find(id)
  if (key === undefined) throw forged(`A message is sealed with the key "${id}", which this process does not have.`)
  const envelope = bytes.subarray(lineEnd + 1)
  // as text, not as decoded bytes: base64url has several spellings of some values, and only one is ours
  const given = bytes.subarray(lineEnd - MAC_LENGTH, lineEnd)
  if (!timingSafeEqual(given, Buffer.from(key.mac.of(envelope), 'latin1'))) {
    const cause = 'it was altered, or its writer has another key of that id'
    throw forged(`The seal of a message does not match its content (key "${id}"): ${cause}.`)
  }
  return envelope.toString('utf8')
}

const WHO_WRITES = 'Find what else writes to this queue, and give it a queue of its own.'

const ROTATION =
  'Give server and worker the same "keys"; when replacing a key, put the new one first and keep the old one in the list ' +
  'until its messages are done.'

const forged = (what: string): ErrandError => new ErrandError('MESSAGE_FORGED', `${what} ${ROTATION}`)

/** Why a first line is not ours: by its version, if it has one. */
function refusalOf(line: string): ErrandError {
  const version = ANY_VERSION.exec(line)?.[1]
  if (version === undefined || Number(version) === VERSION) {
    return new ErrandError('MESSAGE_MALFORMED', `A message does not begin as this library writes it. ${WHO_WRITES}`)
  }
  return new ErrandError(
    'MESSAGE_TOO_NEW',
    `A message has version ${version} of the format, this process reads ${VERSION}. ` +
      'Update the workers before the servers. The message stays among the dead letters; make the call again if it should still run.',
  )
}
