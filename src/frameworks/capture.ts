import { ErrandError } from '../errors.js'
import { contextSettings } from '../core/context-settings.js'
import { makeContext, type Context, type ContextInput, type Scope } from '../core/context.js'
import { newId } from '../core/clock.js'
import { refuseUnknownKeys, show } from '../core/options.js'
import type { RequestContext } from '../core/request-context.js'
import { absoluteUrl, type UrlParts } from './request-url.js'

/** What `requestContext()` takes, the same in every framework. */
export interface RequestContextOptions<Req> {
  /**
   * The verified person who asks. It is read when the context is first needed, not when the request arrives, so an
   * authentication that runs later is seen; once there is one it is kept. `null` and `undefined` say that there is none. It must
   * answer at once, not with a promise; where it does, or throws, `context()` and calls of tasks fail with `OPTION_INVALID`.
   * @defaultValue `(request) => request.user`
   */
  readonly user?: ((request: Req) => unknown) | undefined
  /** More fields of the context (a tenant, a locale), read like the user: each is kept once it is known. */
  readonly extra?: ((request: Req) => ExtraFields) | undefined
  /** Whether the parsed body is part of the context. @defaultValue false */
  readonly body?: boolean | undefined
  /** Names of headers that the context holds besides those of the configuration. @defaultValue none */
  readonly headers?: readonly string[] | undefined
}

/** Fields of the context that the application declared, as far as they are known. */
export type ExtraFields = { readonly [Field in Exclude<keyof RequestContext, 'user'>]?: RequestContext[Field] | undefined }

/** A request in the words of no framework. */
export interface RequestFacts extends UrlParts {
  readonly method: string | undefined
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly clientAddress: string | undefined
}

/** How the requests of one framework are read. */
export interface RequestSource<Req> {
  describe(request: Req): RequestFacts
  body(request: Req): unknown
}

/**
 * Prepares the capture for one application.
 * @returns what makes the scope of a request; making it reads nothing yet, since most requests call no task
 * @throws ErrandError `OPTION_INVALID`
 */
export function captureWith<Req>(source: RequestSource<Req>, given: RequestContextOptions<Req> = {}): (request: Req) => Scope {
  const options = { ...resolve(given), source }
  return (request) => new RequestScope(request, options)
}

interface CaptureOptions<Req> {
  readonly user: (request: Req) => unknown
  readonly extra: ((request: Req) => object) | undefined
  readonly body: boolean
  readonly headers: readonly string[]
  readonly source: RequestSource<Req>
}

type Values = Readonly<Record<string, unknown>>

/** A context, and what it was made of. */
interface Captured {
  readonly context: Context
  /** What the request says; read once. */
  readonly facts: ContextInput
  /** What the application says; read until all of it is known. */
  readonly added: Values
  readonly isSettled: boolean
}

/** The scope of one request. A class, because an object literal with a getter costs ten times as much to make. */
class RequestScope<Req> implements Scope {
  readonly #request: Req
  readonly #options: CaptureOptions<Req>
  #captured: Captured | undefined

  constructor(request: Req, options: CaptureOptions<Req>) {
    this.#request = request
    this.#options = options
  }

  get context(): Context {
    if (this.#captured?.isSettled !== true) this.#captured = capture(this.#request, this.#options, this.#captured)
    return this.#captured.context
  }
}

function capture<Req>(request: Req, options: CaptureOptions<Req>, before: Captured | undefined): Captured {
  const added = readAdded(request, options, before?.added)
  if (before !== undefined && isSame(added, before.added)) return before
  const facts = before?.facts ?? contextOf(options.source.describe(request), options.headers)
  return { facts, added, context: makeContext({ ...facts, ...added }), isSettled: Object.values(added).every(isKnown) }
}

function readAdded<Req>(request: Req, { user, extra, body, source }: CaptureOptions<Req>, before: Values = {}): Values {
  const added: Record<string, unknown> = { user: ask('user', user, request) ?? undefined }
  if (extra !== undefined) Object.assign(added, ask('extra', extra, request))
  if (body) added['body'] = source.body(request)
  for (const [name, value] of Object.entries(before)) {
    if (isKnown(value)) added[name] = value
  }
  return added
}

/** Fastify wants fields of a request declared with `null`, long before they are set. */
const isKnown = (value: unknown): boolean => value !== undefined && value !== null

function isSame(a: Values, b: Values): boolean {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name])
}

function ask<Req, T>(option: 'user' | 'extra', read: (request: Req) => T, request: Req): T {
  let value: T
  try {
    value = read(request)
  } catch (cause) {
    throw new ErrandError(
      'OPTION_INVALID',
      `Cannot read the context of this request: the function in requestContext({ ${option} }) threw. ` +
        'It also runs for requests without a user and before authentication; let it answer undefined then.',
      { cause },
    )
  }
  if (!isThenable(value)) return value
  // its failure would be nobody's: the refusal below is what the application is told
  if (value instanceof Promise) value.catch(() => undefined)
  throw new ErrandError(
    'OPTION_INVALID',
    `Cannot read the context of this request: the function in requestContext({ ${option} }) answered a promise. ` +
      'Await it in a middleware or hook of yours, keep the value on the request, and answer that.',
  )
}

/** Also the queries of database libraries, which run only when somebody awaits them. */
const isThenable = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'

function contextOf(facts: RequestFacts, more: readonly string[]): ContextInput {
  const headers: Record<string, string> = {}
  for (const name of [...contextSettings().headers, ...more]) {
    const value = facts.headers[name]
    if (value !== undefined) headers[name] = typeof value === 'string' ? value : value.join(', ')
  }
  const requestId = cleanRequestId(facts.headers['x-request-id']) ?? newId()
  return { method: facts.method, url: absoluteUrl(facts), clientAddress: facts.clientAddress, requestId, headers }
}

/** Longer than any id in use, and short enough for a line of a log. */
const REQUEST_ID_LENGTH = 128

/** The id without anything that could forge a line of a log or a piece of markup. */
function cleanRequestId(given: string | readonly string[] | undefined): string | undefined {
  const text = typeof given === 'string' ? given : given?.[0]
  const clean = text?.replace(/[^\w.:+/=@-]/g, '').slice(0, REQUEST_ID_LENGTH)
  return clean === '' ? undefined : clean
}

function resolve<Req>(given: RequestContextOptions<Req>): Omit<CaptureOptions<Req>, 'source'> {
  refuseUnknownKeys('requestContext()', given, ['user', 'extra', 'body', 'headers'])
  const { user = userOf, extra, body = false, headers = [] } = given
  if (typeof user !== 'function') throw refused('user', 'a function of the request', user)
  if (extra !== undefined && typeof extra !== 'function') throw refused('extra', 'a function of the request', extra)
  if (typeof body !== 'boolean') throw refused('body', 'true or false', body)
  if (!Array.isArray(headers) || !headers.every((name) => typeof name === 'string')) {
    throw refused('headers', 'a list of header names', headers)
  }
  return { user, extra, body, headers: headers.map((name) => name.toLowerCase()) }
}

/** Where the authentication libraries of all these frameworks put the user. */
// reading a field that a request does not have answers undefined
const userOf = (request: unknown): unknown => (request as { readonly user?: unknown }).user

function refused(option: string, wanted: string, got: unknown): ErrandError {
  return new ErrandError('OPTION_INVALID', `requestContext() takes ${wanted} as "${option}", got ${show(got)}.`)
}
