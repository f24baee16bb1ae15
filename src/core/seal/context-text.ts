import { ErrandError } from '../../errors.js'
import { encodeValue } from '../codec/encode.js'
import { makeContext, type BaseContext, type Context } from '../context.js'
import { isRecord } from './envelope.js'

/** A context as JSON texts. */
export interface ContextTexts {
  readonly clear: string
  /** The secret headers, when there are any; never to be sent as they are. */
  readonly secret: string | undefined
}

type Headers = Record<string, string>

/**
 * Writes a context, the headers named in `secretNames` apart from the rest.
 * @throws ErrandError `VALUE_UNSERIALIZABLE` naming the field
 */
export function writeContext(context: Context, secretNames: ReadonlySet<string>, subject: string): ContextTexts {
  const clear: Headers = {}
  const secret: Headers = {}
  // an application can make the base fields more precise, not take them away
  const { headers } = context as unknown as BaseContext
  for (const name of Object.keys(headers)) {
    const value: unknown = headers[name]
    if (typeof value !== 'string') {
      const problem = `the header "${name}" of the context is not text. Give it as one text.`
      throw new ErrandError('VALUE_UNSERIALIZABLE', `${subject}: ${problem}`)
    }
    const holder = secretNames.has(name) ? secret : clear
    holder[name] = value
  }
  const fields: Record<string, unknown> = { headers: clear }
  for (const field of Object.keys(context)) {
    const value: unknown = Reflect.get(context, field)
    if (field !== 'headers' && value !== undefined) fields[field] = value
  }
  return {
    clear: encodeValue(fields, subject, 'the context'),
    secret: Object.keys(secret).length === 0 ? undefined : JSON.stringify(secret),
  }
}

/** The context of which `writeContext` wrote the parts, here decoded again. @throws ErrandError `CONTEXT_UNRESTORABLE` */
export function readContext(clear: unknown, secret: unknown): Context {
  if (!isRecord(clear)) throw unreadable('it is not an object')
  const headers: Headers = {}
  addHeaders(headers, clear['headers'])
  if (secret !== undefined) addHeaders(headers, secret)
  return makeContext({ ...clear, headers })
}

function addHeaders(headers: Headers, given: unknown): void {
  if (!isRecord(given)) throw unreadable('its headers are not an object')
  for (const name of Object.keys(given)) {
    const value = given[name]
    if (typeof value !== 'string') throw unreadable('a header is not text')
    // makeContext leaves "__proto__" out, and here a text assigned to it changes nothing
    headers[name] = value
  }
}

const unreadable = (why: string): ErrandError =>
  new ErrandError(
    'CONTEXT_UNRESTORABLE',
    `The context of the caller cannot be read: ${why}. Server and worker must run the same version of errand.`,
  )
