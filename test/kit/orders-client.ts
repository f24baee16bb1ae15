import { withContext, type ContextInput } from 'errand'
import type { HttpHandler } from '#src/http/handler.js'

/** A request to the addresses of orders, as a client makes it. */
export interface Asked {
  /** @defaultValue the user with that id; nobody without one */
  readonly as?: string
  /** As which tenant. @defaultValue none */
  readonly tenant?: string
  /** `null` where nobody knows it. @defaultValue '192.0.2.1' */
  readonly clientAddress?: string | null
  /** Sent as JSON. */
  readonly json?: unknown
  /** Sent as it is. */
  readonly body?: string | Uint8Array
  readonly headers?: Readonly<Record<string, string>>
  readonly parsedBody?: unknown
}

/** Asks a handler that is mounted at `/async` of `https://shop.example`. */
export class OrdersClient {
  readonly #handler: HttpHandler

  constructor(handler: HttpHandler) {
    this.#handler = handler
  }

  /** The answer to `path` below the mount, or to an address that another answer gave. */
  async ask(method: string, path: string, asked: Asked = {}): Promise<Response> {
    const answer = await this.maybeAsk(method, path, asked)
    if (answer === undefined) throw new Error(`Nobody answers ${method} ${path}`)
    return answer
  }

  async maybeAsk(method: string, path: string, asked: Asked = {}): Promise<Response | undefined> {
    const { as, tenant, clientAddress = '192.0.2.1', json, body, headers, parsedBody } = asked
    const below = path.replace(/^\/async(?=\/)/, '')
    const typed = json === undefined ? {} : { 'content-type': 'application/json' }
    const sent = json === undefined ? body : JSON.stringify(json)
    const request = new Request(`https://shop.example/async${below}`, { method, headers: { ...typed, ...headers }, ...(sent === undefined ? {} : { body: sent }) })
    const exchange = { request, mount: '/async', path: below.replace(/[?].*$/, ''), ...(parsedBody === undefined ? {} : { parsedBody }) }
    const user = as === undefined ? {} : { user: { id: as } }
    // a tenant as an application declares it
    const who = { clientAddress: clientAddress ?? undefined, ...user, ...(tenant === undefined ? {} : { tenant }) } as ContextInput
    return withContext(who, () => this.#handler(exchange))
  }

  /** Places an order and answers the address where it is followed. */
  async place(name: string, asked: Asked & { readonly method?: string } = {}): Promise<string> {
    const answer = await this.ask(asked.method ?? 'POST', `/${name}/order/`, { as: 'ada', ...asked })
    const location = answer.headers.get('location')
    if (answer.status !== 302 || location === null) throw new Error(`${name} was not placed: ${answer.status} ${await answer.text()}`)
    return location
  }
}

/** The members of a JSON answer. */
export async function membersOf(answer: Response): Promise<Readonly<Record<string, unknown>>> {
  // what comes from the handler is looked at by the test
  return (await answer.json()) as Readonly<Record<string, unknown>>
}
