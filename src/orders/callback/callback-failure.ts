import { ErrandError } from '../../errors.js'
import { shown } from './callback-url.js'

/** Nobody waits longer than this because a receiver says so. */
const LONGEST_WAIT_MS = 24 * 3_600_000

/** A call that the receiver did not accept. */
export class CallbackFailure extends ErrandError {
  /** Whether another call may go better. */
  readonly isPassing: boolean
  /** How long the receiver wants to be left alone. */
  readonly retryAfterMs: number

  constructor(message: string, options: ErrorOptions & { readonly isPassing: boolean; readonly retryAfterMs?: number }) {
    super('CALLBACK_FAILED', message, options)
    this.isPassing = options.isPassing
    this.retryAfterMs = options.retryAfterMs ?? 0
  }
}

/** The receiver said nothing. */
export const failed = (url: URL, why: string, options: ErrorOptions = {}): CallbackFailure =>
  new CallbackFailure(`The callback to ${shown(url)} failed: ${why}.`, { ...options, isPassing: true })

const MANY_REQUESTS = 429

/** The receiver said no; one in trouble, or with too much to do, may say yes another time. */
export function refusedBy(url: URL, status: number, waitMs: number): CallbackFailure {
  const why = status >= 300 && status < 400 ? ', and redirects are not followed' : ''
  const isPassing = status >= 500 || status === MANY_REQUESTS
  return new CallbackFailure(`The callback to ${shown(url)} was answered with ${status}${why}.`, { isPassing, retryAfterMs: waitMs })
}

/** Milliseconds from what stands in `Retry-After`, seconds or a date; 0 where it says nothing that can be read. */
export function retryAfterMs(header: string | undefined, nowMs: number): number {
  if (header === undefined) return 0
  const given = /^\s*\d{1,9}\s*$/.test(header) ? Number(header) * 1000 : Date.parse(header) - nowMs
  return Number.isFinite(given) ? Math.min(Math.max(given, 0), LONGEST_WAIT_MS) : 0
}
