import { captureWith, type RequestContextOptions, type RequestFacts, type RequestSource } from './capture.js'
import { runAsRequest, type Emitter, type NodeRequest } from './node-request.js'

export type { ExtraFields, RequestContextOptions } from './capture.js'
export type { Emitter, NodeRequest } from './node-request.js'

/** What is used of the request of Fastify 5. */
export interface FastifyRequest {
  readonly raw: NodeRequest
  readonly method: string
  readonly originalUrl: string
  readonly protocol: string
  readonly host: string
  readonly ip: string
  readonly headers: RequestFacts['headers']
  readonly user?: unknown
  readonly body?: unknown
}

/** What is used of an instance of Fastify 5. */
export interface FastifyInstance<Req> {
  addHook(name: 'onRequest', hook: (request: Req, reply: { readonly raw: Emitter }, done: () => void) => void): unknown
}

/** A plugin as `app.register()` takes it. */
export type RequestPlugin<Req> = (instance: FastifyInstance<Req>, options: unknown, done: (error?: Error) => void) => void

const SOURCE: RequestSource<FastifyRequest> = {
  describe: ({ method, headers, protocol, host, originalUrl, raw, ip }) => ({
    method,
    headers,
    protocol,
    host,
    target: originalUrl,
    socket: raw.socket,
    clientAddress: ip,
  }),
  body: (request) => request.body,
}

/**
 * A plugin that gives every request of the whole application its context: `context()` answers it in the hooks and handlers that
 * run after, and tasks called there run with it. Register it first; it is no matter that the user becomes known later.
 * @throws ErrandError `OPTION_INVALID`
 * @example
 * await app.register(requestContext({ user: (request) => request.user }))
 */
export function requestContext<Req extends FastifyRequest = FastifyRequest>(
  options?: RequestContextOptions<Req>,
): RequestPlugin<Req> {
  const scopeOf = captureWith<Req>(SOURCE, options)
  const plugin: RequestPlugin<Req> = (instance, _options, done) => {
    instance.addHook('onRequest', (request, reply, next) => runAsRequest(scopeOf(request), request.raw, reply.raw, next))
    done()
  }
  // Fastify would otherwise keep the hook to the routes that this plugin declares, which are none
  return Object.assign(plugin, { [Symbol.for('skip-override')]: true, [Symbol.for('fastify.display-name')]: 'errand' })
}
