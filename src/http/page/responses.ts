import type { Html } from './html.js'
import type { Visit } from './visit.js'

/** On all that a view answers by itself: nobody keeps it, guesses what it is, or learns its address from a link in it. */
const ALWAYS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  vary: 'Accept, Accept-Language, Cookie',
}

/** What an answer may have besides its body. */
export interface AnswerOptions {
  readonly status?: number | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** A page of a view. A whole response is left as it is. */
export function pageAnswer(visit: Visit, page: string | Html | Response, { status = 200, headers = {} }: AnswerOptions = {}): Response {
  if (page instanceof Response) return page
  const own = { 'content-type': 'text/html; charset=utf-8', 'content-language': visit.locale, 'content-security-policy': policyOf(visit) }
  return new Response(String(page), { status, headers: { ...ALWAYS, ...own, ...headers } })
}

export function jsonAnswer(visit: Visit, value: object, { status = 200, headers = {} }: AnswerOptions = {}): Response {
  const own = { 'content-type': 'application/json; charset=utf-8', 'content-language': visit.locale }
  return new Response(JSON.stringify(value), { status, headers: { ...ALWAYS, ...own, ...headers } })
}

export function textAnswer(text: string, { status = 200, headers = {} }: AnswerOptions = {}): Response {
  return new Response(text, { status, headers: { ...ALWAYS, 'content-type': 'text/plain; charset=utf-8', ...headers } })
}

/** Leads to a page by GET. */
export function redirectAnswer(location: string): Response {
  return new Response(null, { status: 303, headers: { ...ALWAYS, location } })
}

export function eventsAnswer(events: ReadableStream<Uint8Array>): Response {
  // nobody between compresses events, nor collects them until there are many
  const live = { 'cache-control': 'no-store, no-transform', 'x-accel-buffering': 'no' }
  return new Response(events, { headers: { ...ALWAYS, ...live, 'content-type': 'text/event-stream; charset=utf-8' } })
}

/** Only what carries the nonce of this very page runs. */
function policyOf({ nonce, view }: Visit): string {
  const own = {
    'default-src': "'none'",
    'script-src': `'nonce-${nonce}'`,
    'style-src': `'nonce-${nonce}'`,
    'img-src': 'data:',
    'connect-src': "'self'",
    'form-action': "'self'",
    'base-uri': "'none'",
    'frame-ancestors': "'none'",
  }
  const merged = { ...own, ...view.given.contentSecurityPolicy }
  return Object.entries(merged).map(([directive, sources]) => `${directive} ${sources}`).join('; ')
}

/** What a result has that says nothing itself: it runs no scripts, and nobody frames it. */
export const RESULT_HEADERS: Readonly<Record<string, string>> = {
  ...ALWAYS,
  'content-security-policy':
    "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; media-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
}
