import { AsyncLocalStorage } from 'node:async_hooks'
import type { Logger } from './logger.js'
import { Note } from './note.js'
import { processState } from './process-state.js'
import type { RequestContext } from './request-context.js'
import type { OpenTransaction } from './transaction.js'

/** A user as a request carries it when the application declares nothing better. */
export interface AnyUser {
  readonly id?: string | number
  readonly [field: string]: unknown
}

/** What is known of every request. Fields are absent when the call came from outside any request. */
export interface BaseContext {
  /** The verified person who asked, as a snapshot; `undefined` for a request without one. */
  readonly user: AnyUser | undefined
  /** The allowed headers of the request, names in lower case. Never `undefined`. */
  readonly headers: Readonly<Record<string, string>>
  /** Full URL with query. */
  readonly url: string | undefined
  readonly method: string | undefined
  /** The `x-request-id` of the request, or one that was made for it. */
  readonly requestId: string | undefined
  /** Address of the client, as the framework determined it. */
  readonly clientAddress: string | undefined
  /** The parsed body, only where `requestContext({ body: true })` asked for it. */
  readonly body?: unknown
}

/** The context of the caller, with everything the application declared in {@link RequestContext}. Frozen. */
export type Context = Readonly<Omit<BaseContext, keyof RequestContext> & RequestContext>

/** A context given by hand: every field may be left out. */
export type ContextInput = Partial<Context>

/** What holds in one asynchronous flow: one record, so that one AsyncLocalStorage is enough (several cost more on Node 20). */
export interface Scope {
  /** Who asked; `undefined` outside any request. In a request a getter of its class, so name it: spreading a scope loses it. */
  readonly context: Context | undefined
  /** The task being run, in a worker or inline. */
  readonly task?: TaskScope | undefined
  /** Set by `enqueue(() => …)`: a decorated call in this flow is recorded here, not sent. */
  readonly intercept?: ((call: unknown) => unknown) | undefined
  /** Set by `withTransaction()`: calls in this flow are sent when it commits. */
  readonly within?: OpenTransaction | undefined
  /** What hooks opened for the run, each under a key of its own. */
  readonly attached?: ReadonlyMap<symbol, unknown> | undefined
}

/** The task a flow is running, as the scope knows it; `currentTask()` gives its public face. */
export interface TaskScope {
  readonly id: string
  readonly name: string
  readonly attempt: number
  /** Gives the abort signal when it is asked for. */
  readonly signal: { readonly signal: AbortSignal }
  /** Where this process logs. */
  readonly log: Logger
  /** Makes progress known to others; absent where nothing is kept of the task. */
  readonly reportProgress?: ((value: number | boolean, data: unknown) => void) | undefined
  /** The same for what it says beside; what is left out stays as it is. */
  readonly say?: ((note: TaskNote) => void) | undefined
}

/** What a task says for people. */
export interface TaskNote {
  readonly message?: string | undefined
  /** Where what it makes is to be found. */
  readonly link?: string | undefined
}

const storage = processState('scope', () => new AsyncLocalStorage<Scope>())

/** The scope of the current flow, or `undefined`. */
export const currentScope = (): Scope | undefined => storage.getStore()

/** Runs `fn` in `scope`; the scope is gone when `fn` and what it awaits have ended. */
export const runInScope = <T>(scope: Scope, fn: () => T): T => storage.run(scope, fn)

const NOTHING: Context = makeContext({})

/**
 * Who asked for what is running now: in a request handler the request, in a task the request that called it, although that
 * was another process. Outside both it is an empty context (no user, no headers).
 * @throws what the application's own `user` or `extra` function of `requestContext()` threw
 */
export function context(): Context {
  return storage.getStore()?.context ?? NOTHING
}

/**
 * Runs `fn` with the given context, for sockets, scripts, tests, and a changed identity: fields left out keep the value
 * they have now. Tasks called inside get exactly this context.
 * @returns what `fn` returns
 */
export function withContext<T>(given: ContextInput, fn: () => T): T {
  const scope = storage.getStore()
  const context = makeContext({ ...scope?.context, ...given })
  return storage.run({ ...scope, context }, fn)
}

/** A frozen context with every base field present. */
export function makeContext(given: ContextInput): Context {
  const { headers, ...rest } = given as Partial<BaseContext>
  // fields first and the spread last: an object that begins with a spread has no room for more, and is slower to make
  const made = {
    user: undefined,
    headers: Object.freeze(lowerCaseNames(headers ?? {})),
    url: undefined,
    method: undefined,
    requestId: undefined,
    clientAddress: undefined,
    ...rest,
  }
  Note.addTo(made)
  return Object.freeze(made)
}

function lowerCaseNames(headers: Readonly<Record<string, string>>): Record<string, string> {
  const lower: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (name !== '__proto__') lower[name.toLowerCase()] = value
  }
  return lower
}
