/** A request in the words of the web standard, and what the framework alone knows of it. */
export interface HttpExchange {
  /** Its URL is absolute and as the client sent it; its signal aborts when the client goes away. */
  readonly request: Request
  /** Where the handler is mounted, without a slash at its end: `/async`; empty at the root. */
  readonly mount: string
  /** What follows the mount in the path of the request, with the slash at its beginning. */
  readonly path: string
  /** What the framework has parsed already of the body, where it has; the body of `request` is used up then. */
  readonly parsedBody?: unknown
}

/**
 * Answers requests in no framework's words. It runs within the context of the request, so `context()` tells who asks.
 * @returns `undefined` for what is not its own, which the framework goes on with
 */
export type HttpHandler = (exchange: HttpExchange) => Promise<Response | undefined>
