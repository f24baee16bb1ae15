import type { CallbackSettings } from '../../runtime/runtime.js'
import { ErrandError } from '../../errors.js'
import { failed, refusedBy, retryAfterMs } from './callback-failure.js'
import { callbackUrl } from './callback-url.js'
import { post, type Answer } from './post.js'
import { resolveChecked, type FindAddresses } from './resolve.js'
import { signatureOf } from './signature.js'

/** One call of a receiver. */
export interface Delivered {
  readonly url: string
  /** The same through all attempts: receivers tell by it that they know a callback already. */
  readonly id: string
  readonly body: string
  readonly nowMs: number
  /** Ends the call. */
  readonly signal: AbortSignal
  readonly find?: FindAddresses | undefined
}

/**
 * Calls the receiver once. The URL is checked again: the configuration may have changed since it was given.
 * @throws ErrandError `CALLBACK_REFUSED`, `CALLBACK_FAILED`
 */
export async function deliver(delivered: Delivered, settings: CallbackSettings): Promise<void> {
  const url = callbackUrl(delivered.url, settings)
  const answer = await attempt(url, delivered, settings)
  if (answer.status >= 200 && answer.status < 300) return
  throw refusedBy(url, answer.status, retryAfterMs(answer.retryAfter, delivered.nowMs))
}

async function attempt(url: URL, { id, body, nowMs, find, signal: given }: Delivered, settings: CallbackSettings): Promise<Answer> {
  const timestamp = String(Math.floor(nowMs / 1000))
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'errand',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatureOf({ id, timestamp, body }, settings.secrets),
  }
  const timer = new AbortController()
  const timeout = setTimeout(() => timer.abort(failed(url, `no answer within ${settings.timeoutMs / 1000} s`)), settings.timeoutMs)
  const signal = AbortSignal.any([given, timer.signal])
  try {
    const addresses = await orAborted(resolveChecked(url, settings.allowPrivate, find), signal)
    return await orAborted(post({ url, addresses, headers, body, signal }), signal)
  } catch (cause) {
    if (given.aborted || cause instanceof ErrandError) throw cause
    throw failed(url, reasonOf(cause), { cause })
  } finally {
    clearTimeout(timeout)
  }
}

/** Looking up a name cannot be ended, but nobody has to wait for it. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  work.catch(() => {})
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason)
    if (signal.aborted) return abort()
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

function reasonOf(cause: unknown): string {
  const code: unknown = cause instanceof Error ? Reflect.get(cause, 'code') : undefined
  return typeof code === 'string' ? code : cause instanceof Error ? cause.message : 'unknown'
}
