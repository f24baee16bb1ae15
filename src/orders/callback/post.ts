import { request as requestHttp, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { LookupAddress } from 'node:dns'
import type { LookupFunction, Socket } from 'node:net'
import { failed } from './callback-failure.js'
import { hostOf } from './callback-url.js'

/** One request. */
export interface Posted {
  readonly url: URL
  /** The only ones to connect to. */
  readonly addresses: readonly LookupAddress[]
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Ends it. */
  readonly signal: AbortSignal
}

/** What the receiver said; nothing of its body. */
export interface Answer {
  readonly status: number
  readonly retryAfter: string | undefined
}

/** For whom packets vanish shall not hold up the worker for the whole of a longer timeout. */
const CONNECT_MS = 5_000
/** Of a body this much is taken off the wire, for so long, so that the receiver can finish what it says. */
const MOST_BODY_BYTES = 16 * 1024
const BODY_MS = 1_000

/** Sends `posted` with a connection of its own, and follows no redirect. Rejects with what stopped it. */
export function post(posted: Posted): Promise<Answer> {
  const { url, headers, body, signal } = posted
  const options: RequestOptions = {
    method: 'POST',
    headers: { ...headers, 'content-length': Buffer.byteLength(body) },
    host: hostOf(url),
    path: `${url.pathname}${url.search}`,
    ...(url.port === '' ? {} : { port: url.port }),
    lookup: pinnedTo(posted.addresses),
    agent: false,
    signal,
  }
  return new Promise((resolve, reject) => {
    const request = url.protocol === 'https:' ? requestHttps(options) : requestHttp(options)
    request.on('error', reject)
    request.on('socket', (socket) => limitConnecting(socket, () => request.destroy(failed(url, `no connection within ${CONNECT_MS / 1000} s`))))
    request.on('response', (response) => {
      resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'] })
      drain(request, response)
    })
    request.end(body)
  })
}

/** Answers what was looked up and checked before, whatever the name leads to by now. */
function pinnedTo(addresses: readonly LookupAddress[]): LookupFunction {
  return (_host, { all }, callback) => {
    const [first] = addresses
    if (all === true) callback(null, [...addresses])
    else callback(null, first?.address ?? '', first?.family)
  }
}

function limitConnecting(socket: Socket, giveUp: () => void): void {
  const timer = setTimeout(giveUp, CONNECT_MS)
  const stop = (): void => clearTimeout(timer)
  socket.once('connect', stop)
  socket.once('close', stop)
}

/** The head of the answer has decided; nobody waits for its body. */
function drain(request: ClientRequest, response: IncomingMessage): void {
  let bytes = 0
  const timer = setTimeout(() => request.destroy(), BODY_MS)
  response.on('data', (part: Buffer) => {
    bytes += part.length
    if (bytes > MOST_BODY_BYTES) request.destroy()
  })
  response.on('error', () => {})
  response.once('close', () => clearTimeout(timer))
}
