import { ErrandError } from '../../errors.js'
import { registry } from '../../core/registry.js'
import { refuseUnknownKeys, show } from '../../core/options.js'
import { toMs, type Duration } from '../../core/duration.js'
import { currentScope } from '../../core/context.js'
import type { KeptBody, ResponseBodies } from './bodies.js'
import { appState } from '../../runtime/app.js'
import { defaultBodies } from './file-bodies.js'
import { checkCookies, type PageCookie } from './cookies.js'

/** What may be said of a response beside its body. */
export interface PageResultParts {
  /** From 200 to 599. @defaultValue 200 */
  readonly status?: number | undefined
  /** Headers of the response. Those of the connection, of cookies and of the server in front are refused. @defaultValue none */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Cookies to set. @defaultValue none */
  readonly cookies?: readonly PageCookie[] | undefined
}

/** The response that the task of a waiting page answers; its starter gets it, whenever they ask. */
export interface PageResult extends PageResultParts {
  /** A text (HTML, unless `content-type` says otherwise), bytes, or anything else, which is sent as JSON. */
  readonly body?: unknown
  /** A body that was written down, see {@link streamResult}. */
  readonly stream?: KeptBody | undefined
}

const KEYS = ['status', 'headers', 'cookies', 'body', 'stream']

/** How long a body is kept where nothing is configured: as long as results by default. */
const KEEP_MS = 24 * 60 * 60_000

/**
 * Says what the page of a result is, where an HTML text or an object for JSON is not enough. Answer it from the task.
 * @throws ErrandError `RESPONSE_INVALID` naming the status, header or cookie that cannot be sent
 * @example
 * return pageResult({ status: 201, headers: { 'content-type': 'text/csv' }, body: csv })
 */
export function pageResult(given: PageResult): PageResult {
  refuseUnknownKeys('pageResult()', given, KEYS)
  checkParts(given)
  return { status: 200, ...given }
}

/** {@link PageResultParts}, and where and for how long the body is kept. */
export interface StreamResultOptions extends PageResultParts {
  /** Where it is written; the view must read from the same place. @defaultValue files in `bodies` of the configured `dataDir` */
  readonly bodies?: ResponseBodies | undefined
  /** How long it is kept: seconds, or a text such as `'2h'`. @defaultValue as long as the result: `keep` of the task, else `keepCompleted` */
  readonly keep?: Duration | undefined
}

/**
 * Writes a body down that is too large for a result (1 MiB), as it comes, and answers the page that streams it.
 * @throws ErrandError `RESPONSE_INVALID`, `OPTION_INVALID`, and what `body` throws
 * @example
 * return streamResult(createReadStream(file), { headers: { 'content-type': 'application/zip' } })
 */
export async function streamResult(body: AsyncIterable<Uint8Array | string>, options: StreamResultOptions = {}): Promise<PageResult> {
  refuseUnknownKeys('streamResult()', options, [...KEYS.slice(0, 3), 'bodies', 'keep'])
  const { bodies = defaultBodies, keep, ...parts } = options
  checkParts(parts)
  const keepMs = keep === undefined ? keptByTask() : toMs(keep, 'streamResult() keep')
  return { status: 200, ...parts, stream: await bodies.write(body, { expiresAt: expiryOf(keepMs) }) }
}

/** The response in a value that a task answered, which is one if it has a status and nothing but what a response has. */
export function pageResultOf(value: unknown): PageResult | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  if (!('status' in value) || !isStatus(value.status) || !Object.keys(value).every((key) => KEYS.includes(key))) return undefined
  // the rest of its fields are checked before one is used: checkParts
  return value as PageResult
}

/** @throws ErrandError `RESPONSE_INVALID` */
export function checkParts({ status = 200, headers = {}, cookies = [] }: PageResultParts): void {
  if (!isStatus(status)) throw invalid(`its status must be a whole number from 200 to 599, got ${show(status)}`)
  for (const [name, value] of Object.entries(headers)) {
    if (REFUSED.test(name)) throw invalid(`a task may not set the header "${name.slice(0, 40)}"`)
    if (!/^[!#$%&'*+.^_`|~\w-]{1,100}$/.test(name)) throw invalid(`${show(name)} is no name of a header`)
    if (typeof value !== 'string' || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
      throw invalid(`the value of the header "${name}" must be a text on one line, without characters above ÿ`)
    }
  }
  checkCookies(cookies)
}

/**
 * Headers of the connection (RFC 9110, 7.6.1), those that the server in front obeys, that let other sites read the answer, or that
 * change more than this answer. Cookies have a place of their own.
 */
const REFUSED =
  /^(?:connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|date|host|set-cookie2?|x-accel-.*|x-sendfile.*|x-lighttpd-.*|x-reproxy-.*|access-control-.*|clear-site-data|service-worker-allowed|strict-transport-security|public-key-pins.*|alt-svc|sourcemap|refresh|content-length)$/i

const isStatus = (status: unknown): status is number => typeof status === 'number' && Number.isInteger(status) && status >= 200 && status <= 599

/** How long the running task says that its result is kept, if it does. */
function keptByTask(): number | undefined {
  const name = currentScope()?.task?.name
  return name === undefined ? undefined : registry.find(name)?.declaration.options.keepMs
}

/** When a body goes: with the result that names it. */
function expiryOf(keepMs: number | undefined): number {
  const state = appState()
  const tracking = state.kind === 'on' ? state.runtime.tracking : undefined
  return tracking?.expiryOf('completed', keepMs) ?? Date.now() + (keepMs ?? KEEP_MS)
}

const invalid = (why: string): ErrandError => new ErrandError('RESPONSE_INVALID', `Cannot send the result of a task as a response: ${why}.`)
