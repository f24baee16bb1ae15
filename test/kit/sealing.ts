import { expect } from 'chai'
import { ErrandError, type ErrorCode } from '#src/errors.js'
import type { Clock } from '#src/core/clock.js'
import { makeContext, type Context } from '#src/core/context.js'
import { createMessages, type CallMessage, type Messages, type MessagesOptions } from '#src/core/message.js'
import { generateKey, parseKeyRing } from '#src/core/seal/key-ring.js'

/** A moment for tests in which time stands still. */
export const NOON = Date.UTC(2030, 0, 1, 12)

/** A clock that moves only when told to. */
export class StillClock implements Clock {
  time = NOON

  now(): number {
    return this.time
  }

  after(): () => void {
    return () => {}
  }
}

const KEY = generateKey()

/** Messages of one application; all made without `keys` have the same key. */
export function messagesWith(options: Partial<MessagesOptions> = {}): Messages {
  return createMessages({
    keys: parseKeyRing([KEY]),
    app: 'shop',
    env: 'test',
    seal: 'secrets',
    secretHeaders: ['authorization', 'cookie'],
    payloadLimit: 100_000,
    clock: new StillClock(),
    ...options,
  })
}

/** A call of `Mail.send` with one argument. */
export function callWith(given: Partial<CallMessage> = {}): CallMessage {
  return {
    id: 'c0ffee',
    task: 'Mail.send',
    args: '["ada@example.org"]',
    context: undefined,
    carriers: undefined,
    sentAt: NOON,
    expiresAt: undefined,
    replyTo: undefined,
    ...given,
  }
}

export const contextOf = (given: Record<string, unknown>): Context => makeContext(given)

/** The error of the library that `fn` throws; fails when it throws none or one of another code. */
export function refusalOf(code: ErrorCode, fn: () => unknown): ErrandError {
  try {
    fn()
  } catch (error) {
    expect(error).to.be.instanceOf(ErrandError)
    const refusal = error as ErrandError // checked above
    expect(refusal.code, refusal.message).to.equal(code)
    return refusal
  }
  return expect.fail(`nothing was refused; expected ${code}`)
}

/** Everything that a report of `error` could show. */
export function everyText(error: unknown): string {
  if (!(error instanceof Error)) return ''
  const own = Object.getOwnPropertyNames(error).map((key) => String(Reflect.get(error, key)))
  return [...own, everyText(error.cause)].join('\n')
}
