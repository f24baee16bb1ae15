import type { HttpExchange } from '../http/handler.js'
import type { NodeReadable } from './node-request.js'
import { absoluteUrl, localTarget, type UrlParts } from './request-url.js'

/** Where a handler is mounted, and what of the path is left to it. */
export type Place = Pick<HttpExchange, 'mount' | 'path'>

/** A request in the words of Node, and what its framework made of it. */
export interface Arrival extends UrlParts {
  readonly method: string | undefined
  readonly request: NodeReadable
  readonly place: Place
  /** What a parser of the framework left; `undefined` where none ran. */
  readonly parsedBody: unknown
  /** Aborts when the client goes away. */
  readonly gone: AbortSignal
}

/** The web standard has no requests with these methods; no handler of ours answers them. */
const NEVER_OURS = new Set(['CONNECT', 'TRACE', 'TRACK'])

/** A request in the words of the web standard. */
export interface Prepared {
  readonly exchange: HttpExchange
  /** For the end of the response: lets what nobody read of the body run out. */
  release(): void
}

/** @returns `undefined` for a request that the web standard does not have, so that none of our handlers can answer it */
export function prepare(arrival: Arrival): Prepared | undefined {
  const { method = 'GET', request, place, parsedBody, gone } = arrival
  if (NEVER_OURS.has(method)) return undefined
  // a parser that found nothing to parse may leave an empty object behind (body-parser 1 does)
  const isParsed = parsedBody !== undefined && (request.readableDidRead || request.readableEnded)
  const body = method === 'GET' || method === 'HEAD' || isParsed ? undefined : new RequestBody(request)
  const init = { method, headers: headersOf(request.rawHeaders), signal: gone }
  const web = new Request(urlOf(arrival), body === undefined ? init : { ...init, body: body.stream, duplex: 'half' })
  return {
    exchange: { request: web, ...place, ...(isParsed && { parsedBody }) },
    release: () => body?.release(),
  }
}

/**
 * The mount of a request, when the framework says what is left of the path.
 * @param inner what is left; `/` also where nothing is, since frameworks say so
 */
export function placeWithin(target: string, inner: string): Place {
  const whole = pathOf(target)
  const path = pathOf(inner)
  if (whole.endsWith(path)) return { mount: local(whole.slice(0, -path.length)), path }
  return path === '/' ? { mount: local(whole), path } : { mount: '', path: whole }
}

/** The mount of a request, when the framework says by which route it was found: `/async/*`, `/:tenant/async/*path`. */
export function placeOfRoute(target: string, route: string): Place {
  const whole = pathOf(target)
  const depth = route.split('/').filter((segment) => segment !== '' && !segment.includes('*')).length
  // the one before the first slash is empty
  const segments = whole.split('/')
  const mount = segments.slice(0, depth + 1).join('/')
  return { mount: local(mount), path: whole.slice(mount.length) || '/' }
}

/** Two slashes at its beginning would make links below it lead to another host. */
const local = (mount: string): string => mount.replace(/^\/{2,}/, '/')

/** The path of a request target, as it was sent. */
export function pathOf(target: string): string {
  const path = localTarget(target).split(/[?#]/, 1)[0] ?? ''
  return path.startsWith('/') ? path : `/${path}`
}

function urlOf(parts: UrlParts): string {
  const url = absoluteUrl(parts)
  // such as a port that is too high
  return URL.canParse(url) ? url : absoluteUrl({ ...parts, host: undefined })
}

/** Every header as it came, repeated ones too; without the pseudo headers of HTTP/2. */
function headersOf(raw: readonly string[]): Headers {
  const headers = new Headers()
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const [name = '', value = ''] = raw.slice(i, i + 2)
    if (!name.startsWith(':')) headers.append(name, value)
  }
  return headers
}

/**
 * The body of a request as a stream that touches it only when somebody reads: what our handler leaves alone must still be there for
 * the parser of the application.
 */
class RequestBody {
  readonly stream: ReadableStream<Uint8Array>
  readonly #request: NodeReadable
  #detach: (() => void) | undefined

  constructor(request: NodeReadable) {
    this.#request = request
    const source = {
      pull: (controller: ReadableStreamDefaultController<Uint8Array>) => this.#pull(controller),
      cancel: () => this.release(),
    }
    this.stream = new ReadableStream<Uint8Array>(source, { highWaterMark: 0 })
  }

  /** Without it a client that still sends would never read the answer, nor could its connection be used again. */
  release(): void {
    if (this.#detach === undefined) return
    this.#detach()
    this.#request.resume()
  }

  #pull(controller: ReadableStreamDefaultController<Uint8Array>): void {
    if (this.#request.readableEnded) return controller.close()
    if (this.#detach === undefined) this.#attach(controller)
    this.#request.resume()
  }

  #attach(controller: ReadableStreamDefaultController<Uint8Array>): void {
    const request = this.#request
    const listeners = {
      data: (chunk: unknown): void => {
        request.pause()
        // a request without an encoding emits buffers
        controller.enqueue(chunk as Uint8Array)
      },
      end: (): void => settle(() => controller.close()),
      error: (error: unknown): void => settle(() => controller.error(error)),
      close: (): void => settle(() => controller.error(AbortSignal.abort().reason)),
    }
    for (const [event, listener] of Object.entries(listeners)) request.on(event, listener)
    this.#detach = () => {
      for (const [event, listener] of Object.entries(listeners)) request.off(event, listener)
    }
    const settle = (conclude: () => void): void => {
      this.#detach?.()
      conclude()
    }
  }
}
