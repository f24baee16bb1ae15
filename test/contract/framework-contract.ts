import { expect } from 'chai'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as timer } from 'node:timers/promises'
import { context, ErrandError, withContext, type Context } from 'errand'
import { contextSettings, setContextSettings } from '#src/core/context-settings.js'
import { Client } from './framework-client.js'
import { barrier, signal } from './signal.js'

/** What the framework must serve: every path answers what its handler returns, as JSON, and a failure as status 500. */
export interface AppUnderTest {
  /** Options for the `requestContext()` of the framework; their functions get a request with `user` and `headers`. */
  readonly options: {
    readonly user?: (request: { readonly user?: unknown }) => unknown
    readonly extra?: (request: { readonly user?: unknown }) => object
    readonly body?: boolean
    readonly headers?: readonly string[]
  }
  /** Runs after the capture and before the authentication. */
  readonly early: () => void
  /** Answers what the framework must set as `request.user`, in a middleware or hook after the capture. */
  readonly authenticate: (headers: IncomingMessage['headers']) => Promise<unknown>
  /** Bodies of type application/json are parsed before it, others are left to it. */
  readonly handle: (path: string, request: IncomingMessage, response: ServerResponse) => unknown
  /** What the framework must answer, with status 500, when `handle` threw `error`. */
  readonly failure: (error: unknown) => object
}

/** An application that listens on a free port of 127.0.0.1. */
export interface ServedApp {
  readonly port: number
  close(): Promise<void>
}

type Handlers = Readonly<Record<string, (request: IncomingMessage, response: ServerResponse) => unknown>>

/** How a framework differs in what the contract asks. */
export interface ContextDifferences {
  /** Its server answers a Host header that is no host with status 400, before any application sees it. */
  readonly refusesBadHosts?: boolean
}

/** One HTTP scenario that the adapter of every framework must pass, on the real framework and over real sockets. */
export function frameworkContract(
  name: string,
  serve: (app: AppUnderTest) => Promise<ServedApp>,
  { refusesBadHosts = false }: ContextDifferences = {},
): void {
  describe(`the context of a request in ${name}`, () => {
    const opened: ServedApp[] = []
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((app) => app.close()))
    })

    async function start(handlers: Handlers, options: AppUnderTest['options'] = {}, early = () => {}): Promise<Client> {
      const app = await serve({
        options,
        early,
        authenticate: async (headers) => {
          await timer(1)
          return headers['x-test-user'] === undefined ? undefined : { id: headers['x-test-user'] }
        },
        handle: async (path, request, response) => await handlers[path]?.(request, response),
        failure: (error) => {
          if (!(error instanceof ErrandError)) return { unexpected: String(error) }
          return { code: error.code, message: error.message }
        },
      })
      opened.push(app)
      return new Client(app.port)
    }

    whatItHolds(start)
    if (!refusesBadHosts) whereTheHostIsBad(start)
    whenItIsRead(start)
    howFarItReaches(start)
  })
}

type Start = (handlers: Handlers, options?: AppUnderTest['options'], early?: () => void) => Promise<Client>

function whatItHolds(start: Start): void {
  it('holds the full URL, the method, the address of the client and who asked', async () => {
    const client = await start({ '/orders': () => context() })

    const seen = await client.get('/orders?page=2&q=a%20b', { 'x-test-user': 'ada' })

    expect(seen).to.include({ url: `http://127.0.0.1:${client.port}/orders?page=2&q=a%20b`, method: 'GET' })
    expect(seen['clientAddress']).to.match(/^(::ffff:)?127\.0\.0\.1$/)
    expect(seen['user']).to.deep.equal({ id: 'ada' })
  })

  it('holds the headers that may travel, names in lower case, and no cookie (item 148)', async () => {
    const client = await start({ '/': () => context().headers })

    const headers = { Authorization: 'Bearer t', 'Accept-Language': 'de', Cookie: 'session=1', 'X-Other': 'x' }
    const seen = await client.get('/', headers)

    expect(seen).to.deep.equal({ authorization: 'Bearer t', 'accept-language': 'de' })
  })

  it('holds the headers that the configuration and the option name', async () => {
    const before = contextSettings()
    const client = await start({ '/': () => context().headers }, { headers: ['X-Tenant'] })
    setContextSettings({ headers: ['x-configured'] })

    const seen = await client.get('/', { Authorization: 'Bearer t', 'X-Tenant': 'acme', 'X-Configured': 'yes' })
    setContextSettings(before)

    expect(seen).to.deep.equal({ 'x-tenant': 'acme', 'x-configured': 'yes' })
  })

  it('takes the request id that came, without what could forge a log line, and makes one otherwise', async () => {
    const client = await start({ '/': () => [context().requestId, context().requestId] })

    const [given] = await client.list('/', { 'x-request-id': 'trace-1/2<b> x' })
    const [long] = await client.list('/', { 'x-request-id': 'a'.repeat(1_000) })
    const [made, madeAgain] = await client.list('/')
    const [other] = await client.list('/', { 'x-request-id': '<>' })

    expect(given).to.equal('trace-1/2bx')
    expect(long).to.equal('a'.repeat(128))
    expect(made).to.match(/^[0-9a-f-]{36}$/).and.to.equal(madeAgain)
    expect(other).to.match(/^[0-9a-f-]{36}$/).and.not.to.equal(made)
  })

  it('holds the body only where the option asks for it', async () => {
    const without = await start({ '/': () => context() })
    const with_ = await start({ '/': () => context() }, { body: true })

    expect(await without.post('/', { a: [1] })).not.to.have.property('body')
    expect((await with_.post('/', { a: [1] }))['body']).to.deep.equal({ a: [1] })
  })
}

function whereTheHostIsBad(start: Start): void {
  it('uses the address of the server where the Host header is no host', async () => {
    const client = await start({ '/x': () => ({ url: context().url }) })

    const seen = await client.get('/x?y=1', { Host: 'evil"><script>' })

    expect(seen['url']).to.equal(`http://127.0.0.1:${client.port}/x?y=1`)
  })
}

function whenItIsRead(start: Start): void {
  it('has no user for a request without one, and no error either', async () => {
    const client = await start({ '/': () => ({ hasUser: context().user !== undefined }) })

    expect(await client.get('/')).to.deep.equal({ hasUser: false })
  })

  it('sees a user and a tenant that became known after it was first read', async () => {
    const early: Context[] = []
    const extra = ({ user }: { readonly user?: unknown }) => ({ tenant: user === undefined ? undefined : 'acme' })
    const client = await start({ '/': () => context() }, { extra }, () => early.push(context()))

    const seen = await client.get('/', { 'x-test-user': 'ada' })

    expect(early[0]?.user).to.equal(undefined)
    expect(seen).to.deep.include({ user: { id: 'ada' }, tenant: 'acme' })
    expect(seen['requestId']).to.equal(early[0]?.requestId)
  })

  it('answers the same object as long as nothing new is known', async () => {
    const client = await start({ '/': () => ({ same: context() === context() }) })

    expect(await client.get('/')).to.deep.equal({ same: true })
    expect(await client.get('/', { 'x-test-user': 'ada' })).to.deep.equal({ same: true })
  })

  it('asks for the user by the function of the application', async () => {
    const client = await start({ '/': () => context().user }, { user: ({ user }) => ({ wrapped: user }) })

    expect(await client.get('/', { 'x-test-user': 'ada' })).to.deep.equal({ wrapped: { id: 'ada' } })
  })

  it('fails the request, not the server, when the function for the user throws or answers a promise', async () => {
    const throwing = await start({ '/': () => context(), '/ok': () => ({ ok: true }) }, { user: () => JSON.parse('{') })
    // oxlint-disable-next-line no-thenable -- as the queries of database libraries are
    const querying = await start({ '/': () => context() }, { user: () => ({ then: () => undefined }) })
    const promising = await start({ '/': () => context() }, { user: () => Promise.reject(new TypeError('late')) })

    expect(await throwing.failure('/')).to.include({ code: 'OPTION_INVALID' })
    expect(await throwing.failure('/')).to.have.property('message').that.includes('requestContext({ user }) threw')
    expect(await promising.failure('/')).to.have.property('message').that.includes('promise')
    expect(await querying.failure('/')).to.have.property('message').that.includes('promise')
    expect(await throwing.get('/ok')).to.deep.equal({ ok: true })
  })

  it('reads nothing for a request that never asks for it', async () => {
    let asked = 0
    const client = await start({ '/': () => ({ ok: true }) }, { user: () => asked++ })

    await client.get('/')

    expect(asked).to.equal(0)
  })
}

function howFarItReaches(start: Start): void {
  it('keeps a hundred requests at once apart, across await, timers and callbacks', async () => {
    const all = barrier(100)
    const client = await start({
      '/': async () => {
        const seen = [context().user]
        await all.arrive()
        seen.push(context().user)
        await timer(1)
        seen.push(context().user)
        return new Promise((resolve) => setImmediate(() => process.nextTick(() => resolve([...seen, context().user]))))
      },
    })

    const users = Array.from({ length: 100 }, (_, i) => `user-${i}`)
    const answers = await Promise.all(users.map((user) => client.list('/', { 'x-test-user': user })))

    expect(answers).to.deep.equal(users.map((id) => [{ id }, { id }, { id }, { id }]))
  })

  it('reaches the listeners of the request, whose body comes later', async () => {
    const started = signal<void>()
    const finished = signal<Context>()
    const client = await start({
      '/upload': async (request) => {
        const seen: unknown[] = []
        request.on('data', () => seen.push(['data', context().user]))
        const ended = once(request, 'end')
        request.on('end', () => seen.push(['end', context().user]))
        request.on('close', () => finished.resolve(context()))
        started.resolve()
        await ended
        return seen
      },
    })

    const seen = await client.upload('/upload', { 'x-test-user': 'ada' }, started.promise)

    expect(seen).to.deep.equal([['data', { id: 'ada' }], ['end', { id: 'ada' }]])
    expect((await finished.promise).user).to.deep.equal({ id: 'ada' })
  })

  it('does not follow the connection into the next request', async () => {
    const client = await start({ '/': () => ({ user: context().user ?? 'nobody', id: context().requestId }) })

    const ada = { 'x-test-user': 'ada', 'x-request-id': 'one' }
    const [first, second] = await client.twoOnOneConnection('/', ada, { 'x-request-id': 'two' })

    expect(first).to.deep.equal({ user: { id: 'ada' }, id: 'one' })
    expect(second).to.deep.equal({ user: 'nobody', id: 'two' })
  })

  it('gives way to withContext and is back afterwards', async () => {
    const client = await start({
      '/': async () => {
        const inside = await withContext({ user: { id: 'service' } }, async () => (await timer(1), context()))
        return { inside, after: context() }
      },
    })

    const { inside, after } = (await client.get('/', { 'x-test-user': 'ada' })) as { inside: Context; after: Context }

    expect(inside.user).to.deep.equal({ id: 'service' })
    expect(after).to.deep.equal({ ...inside, user: { id: 'ada' } })
  })

  it('reaches the listeners of a response that nobody waits for any more', async () => {
    const started = signal<void>()
    const closed = signal<Context>()
    const client = await start({
      '/': async (_request, response) => {
        response.on('close', () => closed.resolve(context()))
        started.resolve()
        await closed.promise
      },
    })

    await client.leave('/', started.promise, { 'x-test-user': 'ada' })

    expect((await closed.promise).user).to.deep.equal({ id: 'ada' })
  })

  it('knows the address of a client that has gone', async () => {
    const started = signal<void>()
    const address = signal<string | undefined>()
    const client = await start({
      '/': async (request) => {
        const gone = once(request.socket, 'close')
        started.resolve()
        await gone
        address.resolve(context().clientAddress)
      },
    })

    await client.leave('/', started.promise)

    expect(await address.promise).to.match(/127\.0\.0\.1$/)
  })
}
