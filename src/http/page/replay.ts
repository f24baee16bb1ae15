import { ErrandError } from '../../errors.js'
import { RESULT_HEADERS } from './responses.js'
import { serializeCookie } from './cookies.js'
import { checkParts, pageResultOf, type PageResult } from './page-result.js'
import type { Process } from './processes.js'
import type { Visit } from './visit.js'

/** What an admin gets to see of the headers of somebody else's result. */
const PLAIN_HEADERS = ['content-type', 'content-disposition', 'content-language', 'content-encoding']
const WITHOUT_BODY: readonly number[] = [204, 205, 304]

/**
 * The response that a task answered: HTML for a text, JSON for other values, or what it said with `pageResult()`.
 * @throws ErrandError `RESPONSE_INVALID`, `RESULT_UNAVAILABLE` where its body was written down and is gone
 */
export async function replay(visit: Visit, process: Process, value: unknown): Promise<Response> {
  const result = pageResultOf(value) ?? { body: value }
  checkParts(result)
  const { status = 200, headers: given = {}, cookies = [] } = result
  const headers = new Headers(RESULT_HEADERS)
  // what is not sent is not opened either
  const { body, type, bytes }: Body = WITHOUT_BODY.includes(status) ? { body: null } : await bodyOf(visit, process, result)
  if (type !== undefined) headers.set('content-type', type)
  for (const [name, text] of Object.entries(given)) if (process.isOwn || PLAIN_HEADERS.includes(name.toLowerCase())) headers.set(name, text)
  if (bytes !== undefined) headers.set('content-length', String(bytes))
  const isHttps = new URL(visit.exchange.request.url).protocol === 'https:'
  if (process.isOwn) for (const cookie of cookies) headers.append('set-cookie', serializeCookie(cookie, isHttps))
  return new Response(body, { status, headers })
}

interface Body {
  readonly body: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null
  readonly type?: string | undefined
  readonly bytes?: number | undefined
}

async function bodyOf({ view }: Visit, { id }: Process, { body, stream }: PageResult): Promise<Body> {
  if (stream !== undefined) {
    const kept = await view.bodies.read(stream.id)
    if (kept === undefined) throw gone(id)
    const isOnce = view.task.declaration.options.resultOnce
    return { body: isOnce ? thenCall(kept, () => view.bodies.remove(stream.id)) : kept, type: 'application/octet-stream', bytes: stream.bytes }
  }
  if (body === undefined || body === null) return { body: null }
  if (typeof body === 'string') return { body, type: 'text/html; charset=utf-8' }
  if (body instanceof Uint8Array) return { body: new Uint8Array(body), type: 'application/octet-stream' }
  return { body: JSON.stringify(body), type: 'application/json; charset=utf-8' }
}

function thenCall(stream: ReadableStream<Uint8Array>, call: () => Promise<void>): ReadableStream<Uint8Array> {
  return stream.pipeThrough(new TransformStream<Uint8Array, Uint8Array>({ flush: () => call() }))
}

const gone = (id: string): ErrandError =>
  new ErrandError(
    'RESULT_UNAVAILABLE',
    `The result of task ${id} cannot be sent: the body that its task wrote down is not there, or not any more. ` +
      'Give waitingPage() and streamResult() the same "bodies", which servers and workers see alike, and keep them as long as results.',
  )
