import { ErrandError } from '../../errors.js'
import { VERSION } from './frame.js'

/** The parsed JSON of a message whose seal is right, before its fields were looked at. */
export type Envelope = Readonly<Record<string, unknown>>

/** Ids, names of tasks, queues, services and environments are all far shorter. */
const LONGEST_TEXT = 255

/** @throws ErrandError `MESSAGE_MALFORMED`, `MESSAGE_TOO_NEW` */
export function parseEnvelope(text: string, kind: 'call' | 'reply'): Envelope {
  const envelope = parseJson(text, 'its envelope')
  if (!isRecord(envelope)) throw malformed('its envelope is not an object')
  if (envelope['v'] !== VERSION) {
    if (!isWhole(envelope['v']) || envelope['v'] < VERSION) throw malformed('its envelope has no version')
    const versions = `An envelope has version ${envelope['v']}, this process reads ${VERSION}.`
    throw new ErrandError('MESSAGE_TOO_NEW', `${versions} Update the workers before the servers.`)
  }
  if (envelope['kind'] !== kind) throw malformed(`it is not a ${kind}`)
  return envelope
}

/** @throws ErrandError `MESSAGE_MALFORMED` */
export function parseJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // not as cause: the parser quotes what it read
    throw malformed(`${what} is not JSON`)
  }
}

/** A text that must be there. @throws ErrandError `MESSAGE_MALFORMED` */
export function textOf(envelope: Envelope, field: string): string {
  const value = envelope[field]
  if (typeof value === 'string' && value !== '' && value.length <= LONGEST_TEXT) return value
  throw malformed(`its "${field}" is not a text of 1 to ${LONGEST_TEXT} characters`)
}

/** A text that may be missing. @throws ErrandError `MESSAGE_MALFORMED` */
export function optionalTextOf(envelope: Envelope, field: string): string | undefined {
  return envelope[field] === undefined ? undefined : textOf(envelope, field)
}

/** A point in time that must be there, in milliseconds since the epoch. @throws ErrandError `MESSAGE_MALFORMED` */
export function instantOf(envelope: Envelope, field: string): number {
  const value = envelope[field]
  if (isWhole(value)) return value
  throw malformed(`its "${field}" is not a time in milliseconds`)
}

/** A point in time that may be missing. @throws ErrandError `MESSAGE_MALFORMED` */
export function optionalInstantOf(envelope: Envelope, field: string): number | undefined {
  return envelope[field] === undefined ? undefined : instantOf(envelope, field)
}

export const malformed = (why: string): ErrandError =>
  new ErrandError(
    'MESSAGE_MALFORMED',
    `A message cannot be read: ${why}. Its seal is right, so a writer of another build made it; see which one.`,
  )

/** Whether `value` is an object with fields, no list. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isWhole = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0
