import { z } from 'zod'
import { toMs } from '../src/core/duration.js'
import { MOST_BYTES, toBytes } from './byte-size.js'

const DURATION = /^\s*\d+(\.\d+)?\s*(ms|s|m|h|d|w)\s*$/
const SIZE = /^\s*\d+(\.\d+)?\s*([bB]|[kK][bB]|[mM][bB])\s*$/
const STORE_TEXT = /^(sqlite(:.+)?|memory|off|postgres(ql)?:\/\/.+)$/
const NAME = /^[A-Za-z0-9][\w.-]{0,99}$/
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** A boolean; a text such as "false" is refused. */
export const flag = () => z.boolean({ error: 'must be true or false, without quotes' })
/** A text that is not empty; `what` says what it must be. */
export const text = (what: string) => z.string({ error: `must be ${what}` }).min(1, { error: `must be ${what}` })
/** A short name. */
export const name = (what: string) =>
  z.string({ error: `must be ${what}` }).regex(NAME, { error: `must be ${what}: letters, digits, "_", "." and "-", at most 100` })
/** One of the given words. */
export const choice = <const T extends readonly [string, ...string[]]>(...values: T) =>
  z.enum(values, { error: `must be one of ${values.join(', ')}` })
/** A whole number in a range. */
export const whole = (min: number, max: number) => {
  const error = `must be a whole number from ${min} to ${max}`
  return z.int({ error }).min(min, { error }).max(max, { error })
}
/** A list; `what` says of what. */
export const listOf = <S extends z.ZodType>(item: S, what: string) => z.array(item, { error: `must be a list of ${what}` })

/** A length of time. */
export const duration = () => {
  const error = `must be seconds from 0 up or a text like '500ms', '30s', '10m', '2h', '7d' (366 days at most)`
  return z.union([z.number().min(0), z.string().regex(DURATION, { error })], { error }).refine(isDuration, { error })
}

/** A number of bytes. */
export const size = () => {
  const error = `must be bytes or a text like '512kb' or '1mb' (128mb at most)`
  return z
    .union([z.int().min(1).max(MOST_BYTES), z.string().regex(SIZE, { error })], { error })
    .refine((given) => toBytes(given) !== undefined, { error })
}

export const NO_AMQP_URL = 'is no URL: see its port, and write special characters of user and password as %xx (@ as %40, / as %2F, % as %25)'

/** Whether it can be read, user and password included. */
export function isAmqpUrl(given: string): boolean {
  try {
    const { username, password, pathname } = new URL(given)
    return [username, password, pathname].every((part) => typeof decodeURIComponent(part) === 'string')
  } catch {
    return false
  }
}

/** The URL of a RabbitMQ node. */
export const amqpUrl = () => {
  const error = 'must be an amqp:// or amqps:// URL'
  return z
    .string({ error })
    .regex(/^amqps?:\/\/.+$/, { error })
    .refine(isAmqpUrl, { error: NO_AMQP_URL })
}

/** The URL of a PostgreSQL database. */
export const postgresUrl = () => {
  const error = 'must be a postgres:// or postgresql:// URL'
  return z
    .string({ error })
    .regex(/^postgres(ql)?:\/\/.+$/, { error })
    .refine((url) => URL.canParse(url), { error })
}

/** Where the states of tasks are kept. */
export const storeAddress = () => {
  const error = 'must be sqlite, sqlite:<file>, a postgres:// URL, memory or off'
  return z
    .string({ error })
    .regex(STORE_TEXT, { error })
    .refine((given) => !given.startsWith('postgres') || URL.canParse(given), { error })
}

/** The name of an HTTP header (a token of RFC 9110). */
export const headerName = () =>
  z.string({ error: 'must be the name of a header' }).regex(HEADER_NAME, { error: 'must be the name of a header' })

/** A key that may be left out. Its description ends in the default, which the documentation repeats and a test compares. */
export const key = <S extends z.ZodType>(schema: S, about: string, fallback: unknown) =>
  schema.optional().meta({ description: `${about} Default: ${inWords(fallback)}.` })

function isDuration(given: number | string): boolean {
  try {
    toMs(given, '')
    return true
  } catch {
    return false
  }
}

function inWords(fallback: unknown): string {
  return Array.isArray(fallback) ? fallback.join(', ') : String(fallback)
}
