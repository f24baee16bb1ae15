import type { Emitter } from './node-request.js'

/** What is used of Node's `ServerResponse` (also of its HTTP/2 twin). */
export interface NodeResponse extends Emitter {
  statusCode: number
  readonly headersSent: boolean
  readonly writableEnded: boolean
  readonly destroyed: boolean
  getHeader(name: string): unknown
  setHeader(name: string, value: string | readonly string[]): unknown
  /** The types of HTTP/2 do not know it. */
  flushHeaders?(): void
  write(chunk: Uint8Array): boolean
  end(): unknown
  destroy(error?: Error): unknown
  once(event: 'close' | 'drain' | 'finish', listener: () => void): unknown
  off(event: 'close' | 'drain' | 'finish', listener: () => void): unknown
}

/** Statuses whose responses have no body. */
const BODILESS = new Set([204, 205, 304])

/** Whether nothing but headers goes out. */
export const isBodiless = (method: string | undefined, status: number): boolean => method === 'HEAD' || BODILESS.has(status)

const signals = new WeakMap<NodeResponse, AbortSignal>()

/** A signal that aborts when the client goes away before the whole response was handed over; one for all handlers that see the request. */
export function goneSignal(outgoing: NodeResponse): AbortSignal {
  const known = signals.get(outgoing)
  if (known !== undefined) return known
  const controller = new AbortController()
  signals.set(outgoing, controller.signal)
  const close = (): void => {
    if (!outgoing.writableEnded) controller.abort()
  }
  // a client may have left while the application still looked who it is
  if (outgoing.destroyed) close()
  else outgoing.once('close', close)
  return controller.signal
}

/**
 * Sends a response of the web standard by a response of Node, as fast as the client takes it. Headers that middleware has set before
 * stay, as far as the response does not have them itself.
 * @returns when the last byte was handed over or the client is gone
 * @throws what the body of the response failed with; the connection is cut off then, so that nobody takes the half for the whole
 */
export async function sendResponse(response: Response, outgoing: NodeResponse, how: { method: string | undefined; gone: AbortSignal }) {
  outgoing.statusCode = response.status
  setHeaders(response.headers, outgoing)
  if (response.body === null || isBodiless(how.method, response.status)) {
    outgoing.end()
    await response.body?.cancel()
    return
  }
  try {
    await pump(response.body, outgoing, how.gone)
  } catch (error) {
    outgoing.destroy()
    throw error
  }
}

/** Headers that name several things: those of ours come to those that are there already. */
const ADDING = new Set(['set-cookie', 'vary'])

function setHeaders(headers: Headers, outgoing: NodeResponse): void {
  for (const [name, value] of headers) {
    if (!ADDING.has(name)) outgoing.setHeader(name, value)
  }
  const cookies = headers.getSetCookie()
  if (cookies.length > 0) outgoing.setHeader('set-cookie', [...listOf(outgoing.getHeader('set-cookie')), ...cookies])
  const vary = headers.get('vary')
  if (vary !== null) outgoing.setHeader('vary', [...listOf(outgoing.getHeader('vary')), vary].join(', '))
}

/** A header of Node is absent, one text, or a list. */
function listOf(header: unknown): readonly string[] {
  if (Array.isArray(header)) return header.map(String)
  return typeof header === 'string' ? [header] : []
}

async function pump(body: ReadableStream<Uint8Array>, outgoing: NodeResponse, gone: AbortSignal): Promise<void> {
  const reader = body.getReader()
  // a body that waits for its next event learns in no other way that nobody listens any more; how it takes that is its own affair
  const stop = (): void => void reader.cancel(gone.reason).catch(() => undefined)
  if (gone.aborted) return stop()
  gone.addEventListener('abort', stop, { once: true })
  try {
    // the first event may be long in coming
    outgoing.flushHeaders?.()
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      if (!outgoing.write(read.value)) await roomIn(outgoing, gone)
    }
    outgoing.end()
  } finally {
    gone.removeEventListener('abort', stop)
  }
}

/** Resolves when the response takes more, or never will. */
function roomIn(outgoing: NodeResponse, gone: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (gone.aborted) return resolve()
    const done = (): void => {
      outgoing.off('drain', done)
      outgoing.off('close', done)
      resolve()
    }
    outgoing.once('drain', done)
    outgoing.once('close', done)
  })
}
