import { captureWith, type RequestContextOptions, type RequestFacts, type RequestSource } from './capture.js'
import { describeNodeRequest, runAsRequest, type Emitter, type NodeRequest } from './node-request.js'

/** What is used of the request of Express 4 and 5. */
export interface ExpressRequest extends NodeRequest {
  readonly originalUrl?: string | undefined
  readonly protocol?: string | undefined
  readonly ip?: string | undefined
  readonly app?: { get(setting: string): unknown } | undefined
}

/** A middleware as Express, and NestJS on Express, take it. */
export type RequestMiddleware<Req> = (request: Req, response: Emitter, next: (error?: unknown) => void) => void

const SOURCE: RequestSource<ExpressRequest> = {
  describe: describeExpressRequest,
  body: (request) => request.body,
}

/**
 * A middleware that gives every request its context: `context()` answers it in all that runs after, and tasks called there
 * run with it. Mount it first; it is no matter that the user becomes known later.
 * @throws ErrandError `OPTION_INVALID`
 * @example
 * app.use(requestContext({ user: (request) => request.user, headers: ['x-tenant'] }))
 */
export function requestContext<Req extends ExpressRequest = ExpressRequest>(
  options?: RequestContextOptions<Req>,
): RequestMiddleware<Req> {
  const scopeOf = captureWith<Req>(SOURCE, options)
  return (request, response, next) => runAsRequest(scopeOf(request), request, response, next)
}

/** A request as Express knows it, by the rules that the application set for proxies. */
export function describeExpressRequest(request: ExpressRequest): RequestFacts {
  const facts = describeNodeRequest(request)
  return {
    ...facts,
    protocol: request.protocol ?? facts.protocol,
    // a mounted router cuts its own path off `url`
    target: request.originalUrl ?? facts.target,
    host: forwardedHost(request) ?? facts.host,
    clientAddress: request.ip ?? facts.clientAddress,
  }
}

/** The host that a trusted proxy was asked for; Express 4 has no getter that keeps the port. */
function forwardedHost({ app, headers, socket }: ExpressRequest): string | undefined {
  const forwarded = headers['x-forwarded-host']
  const trusts = app?.get('trust proxy fn')
  if (typeof forwarded !== 'string' || typeof trusts !== 'function') return undefined
  // Express itself compiles the setting to (address, hop) => boolean
  const isTrusted = (trusts as (address: string | undefined, hop: number) => boolean)(socket.remoteAddress, 0)
  return isTrusted ? forwarded.split(',', 1)[0]?.trim() : undefined
}
