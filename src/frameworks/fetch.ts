import { context, type BaseContext } from '../core/context.js'
import { refuseUnknownKeys, show } from '../core/options.js'
import { ErrandError } from '../errors.js'

/** What {@link createFetch} makes. */
export interface CreateFetchOptions {
  /**
   * Origins that get the caller's `authorization`, such as `https://api.example.com`; all others never do. @defaultValue []
   */
  readonly origins?: readonly string[] | undefined
  /** The fetch underneath. @defaultValue the global one, as it is at the time of the request */
  readonly fetch?: typeof globalThis.fetch | undefined
}

/** They say which request this belongs to, and nothing about who made it. */
const TRACE_HEADERS = ['traceparent', 'tracestate']

/**
 * The global `fetch`, with the caller's `traceparent`, `tracestate` and `x-request-id` added unless the request has them. It
 * never adds `authorization`: whoever gets a token can act as the caller, so it goes only where {@link createFetch} was told to
 * send it.
 */
export const fetch: typeof globalThis.fetch = (input, init) => send({ origins: new Set(), fetch: undefined }, input, init)

/**
 * A `fetch` that acts for the caller: it adds `authorization` from `context()` for requests to the given origins, unless the
 * request has one, and the trace headers of {@link fetch} for all. A redirect to another origin loses it again, as the Fetch
 * standard has it.
 *
 * @example
 * const fetch = createFetch({ origins: ['https://billing.internal'] })
 * await fetch('https://billing.internal/invoices')   // as the person who asked, also in a task
 * @throws ErrandError `OPTION_INVALID`
 */
export function createFetch(options: CreateFetchOptions): typeof globalThis.fetch {
  refuseUnknownKeys('createFetch', options, ['origins', 'fetch'])
  const target: Target = { origins: new Set((options.origins ?? []).map(originOf)), fetch: options.fetch }
  return (input, init) => send(target, input, init)
}

interface Target {
  readonly origins: ReadonlySet<string>
  readonly fetch: typeof globalThis.fetch | undefined
}

function send(target: Target, input: string | URL | Request, init: RequestInit | undefined): Promise<Response> {
  const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined))
  // an application can make the base fields more precise, not take them away
  const caller = context() as unknown as BaseContext
  for (const name of TRACE_HEADERS) addMissing(headers, name, caller.headers[name])
  addMissing(headers, 'x-request-id', caller.headers['x-request-id'] ?? caller.requestId)
  if (isListed(target, input)) addMissing(headers, 'authorization', caller.headers['authorization'])
  const request = target.fetch ?? globalThis.fetch
  return request(input, { ...init, headers })
}

function addMissing(headers: Headers, name: string, value: string | undefined): void {
  if (value !== undefined && !headers.has(name)) headers.set(name, value)
}

function isListed({ origins }: Target, input: string | URL | Request): boolean {
  if (origins.size === 0) return false
  const url = input instanceof Request ? input.url : String(input)
  // what is no URL is for fetch itself to refuse
  return URL.canParse(url) && origins.has(new URL(url).origin)
}

function originOf(text: unknown): string {
  const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : undefined
  const isOrigin = url !== undefined && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`
  if (isOrigin) return url.origin
  throw new ErrandError(
    'OPTION_INVALID',
    `createFetch origins must be origins such as 'https://api.example.com', without path or password, got ${safely(text)}.`,
  )
}

/** A URL with a password in it must not end in a log. */
const safely = (text: unknown): string => (typeof text === 'string' ? show(text.replace(/\/\/[^/]*@/, '//***@')) : show(text))
