import type { HttpExchange } from '../handler.js'
import { refusal, type Refusal } from '../problem.js'

export type JsonObject = Readonly<Record<string, unknown>>

/** Levels of objects and lists in each other; nobody writes more by hand, and what goes through them need not count. */
const DEEPEST = 64

/** The JSON object in the body of a request; empty where there is no body. @throws Refusal 400, 413, 415 */
export async function readBody(exchange: HttpExchange, limit: number): Promise<JsonObject> {
  const { request, parsedBody } = exchange
  const given = parsedBody === undefined ? await readText(request, limit) : parsedBody
  const text = given instanceof Uint8Array ? decode(given) : given
  if (text === undefined || text === '' || isNothing(request, text)) return {}
  refuseOtherTypes(request)
  const value = typeof text === 'string' ? parse(text) : text
  if (isObject(value)) return value
  throw refusal({ status: 400, detail: 'The body must be a JSON object, such as {"context": {}}.' })
}

/** The client's own object among what it sent. @throws Refusal 400, which says it in the form of older systems too */
export function contextOf(body: JsonObject): JsonObject {
  const { context = {} } = body
  if (!isObject(context)) throw refusedContext('The value is not a valid JSON object.')
  const flaw = flawOf(body)
  if (flaw !== undefined) throw refusedContext(`The body is not a valid JSON object that can be kept: ${flaw}.`)
  return context
}

/** A context that is refused, with one or more reasons. */
export function refusedContext(...reasons: readonly string[]): Refusal {
  return refusal({ status: 400, detail: 'The context of the order was refused.', more: { context: reasons } })
}

async function readText(request: Request, limit: number): Promise<string | undefined> {
  if (Number(request.headers.get('content-length') ?? 0) > limit) throw tooLarge(limit)
  if (request.body === null) return undefined
  const parts: Uint8Array[] = []
  let size = 0
  // a body of the web standard is made of bytes
  for await (const part of request.body as AsyncIterable<Uint8Array>) {
    size += part.byteLength
    if (size > limit) throw tooLarge(limit)
    parts.push(part)
  }
  return size === 0 ? undefined : decode(Buffer.concat(parts))
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw notJson()
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw notJson()
  }
}

function refuseOtherTypes(request: Request): void {
  const type = request.headers.get('content-type') ?? ''
  const isJson = /^application\/(?:json|[a-z0-9.!#$&^_-]+\+json)\s*(?:;|$)/i.test(type)
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(type)?.[1]?.toLowerCase()
  if (isJson && (charset === undefined || charset === 'utf-8')) return
  throw refusal({ status: 415, detail: 'The body must be JSON: send Content-Type: application/json.', headers: { accept: 'application/json' } })
}

/** What keeps a value from arriving as it was sent; walked without recursion, which hostile depth would exhaust. */
function flawOf(value: object): string | undefined {
  const open: { readonly value: unknown; readonly depth: number }[] = [{ value, depth: 1 }]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value: current, depth } = next
    if (typeof current === 'number' && !Number.isFinite(current)) return 'it has a number that is too large'
    if (typeof current !== 'object' || current === null) continue
    if (depth > DEEPEST) return `it is nested deeper than ${DEEPEST} levels`
    if (Object.hasOwn(current, '__proto__')) return 'it has the key "__proto__"'
    for (const inner of Object.values(current)) open.push({ value: inner, depth: depth + 1 })
  }
  return undefined
}

/** Some parsers make an object, or `null`, where there was no body. */
const isNothing = ({ headers }: Request, parsed: unknown): boolean =>
  !headers.has('content-type') && (parsed === null || (isObject(parsed) && Object.keys(parsed).length === 0))

const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)

const tooLarge = (limit: number): Refusal => refusal({ status: 413, detail: `The body may have ${limit} bytes at most.` })

const notJson = (): Refusal => refusal({ status: 400, detail: 'The body is not valid JSON.' })
