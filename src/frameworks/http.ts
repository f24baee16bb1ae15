import { captureWith, type RequestContextOptions, type RequestSource } from './capture.js'
import { describeNodeRequest, runAsRequest, type Emitter, type NodeRequest } from './node-request.js'

export type { ExtraFields, RequestContextOptions } from './capture.js'
export type { Emitter, NodeRequest } from './node-request.js'

const SOURCE: RequestSource<NodeRequest> = {
  describe: describeNodeRequest,
  body: (request) => request.body,
}

/**
 * Gives every request of a plain `(request, response)` listener its context: `context()` answers it in the listener and all
 * it awaits, and tasks called there run with it.
 * @throws ErrandError `OPTION_INVALID`
 * @example
 * createServer(requestContext({ user: (request) => sessions.get(request) })(async (request, response) => { … }))
 */
export function requestContext<Req extends NodeRequest = NodeRequest>(options?: RequestContextOptions<Req>) {
  const scopeOf = captureWith<Req>(SOURCE, options)
  return <Incoming extends Req, Res extends Emitter, T>(listener: (request: Incoming, response: Res) => T) =>
    (request: Incoming, response: Res): T =>
      runAsRequest(scopeOf(request), request, response, () => listener(request, response))
}
