import type { IncomingHttpHeaders, Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { HttpHandler } from '#src/http/handler.js'
import type { OrdersOptions } from 'errand/orders'
import type { WaitingPageView } from 'errand/page'
import type { ServedApp } from './framework-contract.js'
import type { HttpClient } from './http-client.js'

/** What an application must serve, whatever its framework. */
export interface HttpApp {
  /** What of ours is mounted at which path; an empty one is the root. */
  readonly mounts: Readonly<Record<string, Mounted>>
  /** Whether the application parses bodies of type application/json before it comes to the mounts. */
  readonly parses: boolean
  /** Routes of the application itself, declared after the mounts. It answers GET with what stands here; all other paths with its 404. */
  readonly own: Readonly<Record<string, string>>
  /** Gets what reaches the error handler of the application, which answers with status 500 and `failed`. */
  readonly onError: (error: unknown) => void
}

/** A handler, or what the adapter makes itself. */
export type Mounted = HttpHandler | { readonly page: WaitingPageView } | { readonly orders: OrdersOptions }

/** What an adapter makes of something mounted. */
export function madeBy<T>(adapter: Adapter<T>, mounted: Mounted): T {
  if (typeof mounted === 'function') return adapter.answerWith(mounted)
  return 'page' in mounted ? adapter.waitingPage(mounted.page) : adapter.orders(mounted.orders)
}

interface Adapter<T> {
  answerWith(handler: HttpHandler): T
  waitingPage(view: WaitingPageView): T
  orders(options?: OrdersOptions): T
}

/** Serves an application on a free port of 127.0.0.1, with `requestContext()` and with the user that `userOf` finds. */
export type Serve = (app: HttpApp) => Promise<ServedApp>

/** The authentication of these applications. */
export function userOf(headers: IncomingHttpHeaders): { readonly id: string } | undefined {
  const id = headers['x-test-user']
  return typeof id === 'string' ? { id } : undefined
}

/** A header that the application gives every response before the mounts come. */
export const SESSION_COOKIE = 'session=1'

/** Waits until a server listens. */
export async function served(server: Server): Promise<ServedApp> {
  await once(server, 'listening')
  return {
    // it listens on TCP
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Starts an application that answers these paths below `/async` by handlers of the test. */
export type StartApp = (handlers: Readonly<Record<string, HttpHandler>>, app?: Partial<HttpApp>) => Promise<HttpClient>
