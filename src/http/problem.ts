import { ErrandError } from '../errors.js'

/** What went wrong, in words for the client (RFC 9457). */
export interface Problem {
  readonly status: number
  /** One sentence, with nothing in it that the client may not know. */
  readonly detail: string
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Further members. */
  readonly more?: Readonly<Record<string, unknown>> | undefined
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
}

/** Says no to a request; thrown where that is found out, and answered to the client: it never leaves the handler. */
export class Refusal extends ErrandError {
  readonly problem: Problem

  constructor(problem: Problem) {
    super('CALL_INVALID', problem.detail)
    this.problem = problem
  }
}

/** A {@link Refusal} in these words. */
export const refusal = (problem: Problem): Refusal => new Refusal(problem)

/** The answer to a request that cannot be served. */
export function problemResponse({ status, detail, headers = {}, more = {} }: Problem): Response {
  const body = JSON.stringify({ ...more, type: 'about:blank', title: TITLES[status] ?? 'Error', status, detail })
  return new Response(body, { status, headers: { ...headers, 'content-type': 'application/problem+json' } })
}
