import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { Certificate } from './certificates.js'
import type { Scope } from './temporary.js'
import { until } from './until.js'

/** A request that came in, whole. */
export interface Received {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** Answers what a receiver is to answer to its n-th request, from 1: a status, or something of its own. */
export type Behaviour = (count: number, response: ServerResponse) => number | undefined

/** A server of this host that is called, and keeps what it was told. */
export interface Receiver {
  /** Without a path. */
  readonly origin: string
  readonly port: number
  readonly requests: readonly Received[]
  /** The requests, as soon as there are so many. */
  received(count: number): Promise<readonly Received[]>
}

/** Opens a receiver that ends with the test; with a certificate it speaks TLS. */
export async function openReceiver(scope: Scope, behave: Behaviour = () => 204, tls?: Certificate): Promise<Receiver> {
  const requests: Received[] = []
  const listener: RequestListener = (request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (part: string) => (body += part))
    request.on('end', () => {
      requests.push({ method: request.method, url: request.url, headers: request.headers, body })
      const status = behave(requests.length, response)
      if (status !== undefined) response.writeHead(status).end()
    })
  }
  const server = tls === undefined ? createServer(listener) : createTlsServer({ cert: readFileSync(tls.cert), key: readFileSync(tls.key) }, listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  scope.defer(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the receiver has no port')
  const { port } = address
  const received = (count: number): Promise<readonly Received[]> => until(`${count} callbacks`, () => requests.length >= count && requests)
  return { origin: `http${tls === undefined ? '' : 's'}://127.0.0.1:${port}`, port, requests, received }
}
