import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { requestContext } from 'errand/http'
import type { HttpHandler } from '#src/http/handler.js'
import type { Scope } from './temporary.js'

export interface Served {
  readonly port: number
  /** Without a slash at its end. */
  readonly origin: string
  close(): Promise<void>
}

/** Whoever the header `x-user` names, or the cookie `user`, is signed in. */
function userOf({ headers }: IncomingMessage): { readonly id: string } | undefined {
  const id = headers['x-user'] ?? /(?:^|;\s*)user=([^;]+)/.exec(headers.cookie ?? '')?.[1]
  return typeof id === 'string' ? { id } : undefined
}

/** A plain server of Node that answers by handlers, each at its mount; the first that knows the request. */
export async function serve(scope: Scope, handlers: Readonly<Record<string, HttpHandler>>, port = 0): Promise<Served> {
  const listener = requestContext({ user: userOf })((request: IncomingMessage, response: ServerResponse) => void answer(handlers, request, response))
  const server = createServer(listener)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  // an address of TCP has a port
  const bound = (server.address() as AddressInfo).port
  const close = async (): Promise<void> => {
    if (!server.listening) return
    server.close()
    server.closeAllConnections()
    await once(server, 'close')
  }
  scope.defer(close)
  return { port: bound, origin: `http://127.0.0.1:${bound}`, close }
}

async function answer(handlers: Readonly<Record<string, HttpHandler>>, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  try {
    const request = requestOf(incoming, outgoing)
    const path = new URL(request.url).pathname
    for (const [mount, handler] of Object.entries(handlers)) {
      if (path !== mount && !path.startsWith(`${mount}/`)) continue
      const response = await handler({ request, mount, path: path.slice(mount.length) })
      if (response !== undefined) return await send(response, outgoing)
    }
    outgoing.writeHead(404).end('nobody answers here')
  } catch (error) {
    if (!outgoing.headersSent) outgoing.writeHead(500)
    outgoing.end(String(error))
  }
}

function requestOf(incoming: IncomingMessage, outgoing: ServerResponse): Request {
  const gone = new AbortController()
  outgoing.once('close', () => gone.abort())
  const headers = new Headers()
  for (const [name, value] of Object.entries(incoming.headers)) {
    for (const text of [value].flat()) if (text !== undefined) headers.append(name, text)
  }
  const method = incoming.method ?? 'GET'
  const hasBody = method !== 'GET' && method !== 'HEAD'
  // Node takes streams as bodies, in one direction at a time, which its types do not say
  const body = hasBody ? ({ body: Readable.toWeb(incoming), duplex: 'half' } as object) : {}
  return new Request(`http://${incoming.headers.host ?? 'localhost'}${incoming.url ?? '/'}`, { method, headers, signal: gone.signal, ...body })
}

async function send(response: Response, outgoing: ServerResponse): Promise<void> {
  const cookies = response.headers.getSetCookie()
  const headers = Object.fromEntries([...response.headers].filter(([name]) => name !== 'set-cookie'))
  outgoing.writeHead(response.status, cookies.length === 0 ? headers : { ...headers, 'set-cookie': cookies })
  if (response.body === null) return void outgoing.end()
  outgoing.flushHeaders()
  // who goes away in the middle has had enough
  await pipeline(Readable.fromWeb(response.body), outgoing).catch(() => {})
}
