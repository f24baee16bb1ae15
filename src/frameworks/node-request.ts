import { runInScope, type Scope } from '../core/context.js'
import type { RequestFacts } from './capture.js'

/** What is used of Node's `IncomingMessage` (also of its HTTP/2 twin). */
export interface NodeRequest extends Emitter {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly headers: RequestFacts['headers']
  readonly socket: {
    readonly remoteAddress?: string | undefined
    readonly localAddress?: string | undefined
    readonly localPort?: number | undefined
  }
  /** Node knows neither; authentication and body parsers put them here. */
  readonly user?: unknown
  readonly body?: unknown
}

/** What is used of a request whose body we read. */
export interface NodeReadable extends NodeRequest {
  readonly rawHeaders: readonly string[]
  readonly readableDidRead: boolean
  readonly readableEnded: boolean
  on(event: string, listener: (value: unknown) => void): unknown
  off(event: string, listener: (value: unknown) => void): unknown
  pause(): unknown
  resume(): unknown
}

/** What is used of an event emitter. */
export interface Emitter {
  emit: (event: string | symbol, ...args: never[]) => boolean
}

/** The `:authority` of HTTP/2 or the `Host` of a request. */
export function hostOf(headers: RequestFacts['headers']): string | undefined {
  const host = headers[':authority'] ?? headers['host']
  return typeof host === 'string' ? host : undefined
}

/** Whether the request came over TLS to this very process. */
export const isEncrypted = (socket: object): boolean => 'encrypted' in socket && socket.encrypted === true

/** A request as Node alone knows it, without any proxy in front. */
export function describeNodeRequest(request: NodeRequest): RequestFacts {
  const { method, url, headers, socket } = request
  const protocol = isEncrypted(socket) ? 'https' : 'http'
  return { method, headers, protocol, host: hostOf(headers), target: url, socket, clientAddress: socket.remoteAddress }
}

/** Runs `next` as the given request: its context holds there, in all that awaits there, and in listeners of the two emitters. */
export function runAsRequest<T>(scope: Scope, request: NodeRequest, response: Emitter, next: () => T): T {
  // the socket forgets the address when it closes, unless somebody has asked for it before
  void request.socket.remoteAddress
  bindEvents(request, scope)
  bindEvents(response, scope)
  return runInScope(scope, next)
}

/** Events of a request are emitted in the flow of its connection, which knows no request or, kept alive, an earlier one. */
function bindEvents(emitter: Emitter, scope: Scope): void {
  const { emit } = emitter
  emitter.emit = (...args) => runInScope(scope, () => emit.apply(emitter, args))
}
