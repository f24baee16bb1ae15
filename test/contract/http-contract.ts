import { expect } from 'chai'
import { once } from 'node:events'
import { Agent } from 'node:http'
import { context } from 'errand'
import type { HttpExchange, HttpHandler } from '#src/http/handler.js'
import { eachScope } from '../kit/temporary.js'
import type { Serve, StartApp } from './http-app.js'
import { signal } from './signal.js'
import { HttpClient } from './http-client.js'
import { bodiesBothWays } from './http-bodies.js'

/** How a framework differs in what the contract asks. */
export interface HttpDifferences {
  /** Without an error handler of the application, failures are answered by us. */
  readonly hasErrorHandler: boolean
  /** Whether a connection can be used again when a handler gave up in the middle of a body. */
  readonly keepsHalfReadConnections: boolean
}

const NO_DIFFERENCES: HttpDifferences = { hasErrorHandler: true, keepsHalfReadConnections: true }

/** What every framework must do with a handler that knows only the web standard, on real servers and over real sockets. */
export function httpContract(name: string, serve: Serve, different: Partial<HttpDifferences> = {}): void {
  const differences = { ...NO_DIFFERENCES, ...different }
  describe(`a handler of the web standard in ${name}`, () => {
    const scope = eachScope()
    const start: StartApp = async (handlers, app = {}) => {
      const mounts = { '/async': async (exchange: HttpExchange) => handlers[exchange.path]?.(exchange) }
      const { port, close } = await serve({ mounts, parses: false, own: {}, onError: () => {}, ...app })
      scope().defer(close)
      return new HttpClient(port)
    }

    whatItSees(start)
    whatItAnswers(start)
    whatIsNotItsOwn(start)
    whenItFails(start, differences)
    bodiesBothWays(start)
  })
}

/** What a handler sees of where it is. */
const facts: HttpHandler = async ({ request, mount, path }) => {
  const { method, url, headers } = request
  return Response.json({ method, url, mount, path, headers: Object.fromEntries(headers), user: context().user, contextUrl: context().url })
}

function whatItSees(start: StartApp): void {
  it('sees the absolute URL with its query, the method, the mount and the rest of the path', async () => {
    const client = await start({ '/report/order': facts })

    const seen = await client.json('/async/report/order?year=2026&q=a%20b', { method: 'PUT' })

    expect(seen).to.include({ method: 'PUT', mount: '/async', path: '/report/order' })
    expect(seen['url']).to.equal(`http://127.0.0.1:${client.port}/async/report/order?year=2026&q=a%20b`)
  })

  it('sees whether there was a slash at the end, and one where nothing is left of the path', async () => {
    const client = await start({ '/': facts, '/a': facts, '/a/': facts })

    const paths = await Promise.all(['/async', '/async/', '/async?x=1', '/async/a', '/async/a/'].map((path) => client.json(path)))

    expect(paths.map(({ mount, path }) => [mount, path])).to.deep.equal(['/', '/', '/', '/a', '/a/'].map((path) => ['/async', path]))
  })

  it('works at the root and below several segments', async () => {
    const client = await start({}, { mounts: { '/deep/er': facts } })
    const atRoot = await start({}, { mounts: { '': facts } })

    expect(await client.json('/deep/er/a/b')).to.include({ mount: '/deep/er', path: '/a/b' })
    expect(await atRoot.json('/a/b/')).to.include({ mount: '', path: '/a/b/' })
    expect(await atRoot.json('/')).to.include({ mount: '', path: '/' })
  })

  it('sees a path with other letters as it was sent', async () => {
    const client = await start({ '/caf%C3%A9': facts })

    const seen = await client.json('/async/caf%C3%A9?q=%C3%BC')

    expect(seen).to.include({ path: '/caf%C3%A9', url: `http://127.0.0.1:${client.port}/async/caf%C3%A9?q=%C3%BC` })
  })

  it('sees every header, also one that comes twice', async () => {
    const client = await start({ '/facts': facts })

    const { headers } = await client.json('/async/facts', { headers: { 'X-Twice': ['1', '2'], Cookie: 'a=1', Prefer: 'wait=5' } })

    expect(headers).to.include({ 'x-twice': '1, 2', cookie: 'a=1', prefer: 'wait=5' })
  })

  it('runs within the context of the request', async () => {
    const client = await start({ '/facts': facts })

    const seen = await client.json('/async/facts?year=1', { headers: { 'x-test-user': 'ada' } })
    expect(seen['user']).to.deep.equal({ id: 'ada' })
    expect(seen['contextUrl']).to.equal(`http://127.0.0.1:${client.port}/async/facts?year=1`)
    expect(await client.json('/async/facts')).not.to.have.property('user')
  })

  it('is told when the client goes away', async () => {
    const started = signal<void>()
    const gone = signal<unknown>()
    const client = await start({
      '/wait': async ({ request }) => {
        request.signal.addEventListener('abort', () => gone.resolve(context().user))
        started.resolve()
        await gone.promise
        return new Response('for nobody')
      },
    })

    const outgoing = client.start('/async/wait', { headers: { 'x-test-user': 'ada' } })
    outgoing.on('error', () => {}) // the hang-up of this side
    outgoing.end()
    await started.promise
    outgoing.destroy()

    await gone.promise
  })
}

function whatItAnswers(start: StartApp): void {
  it('answers with status, headers and body', async () => {
    const answer = new Response('{"status":"queued"}', { status: 202, headers: { 'retry-after': '2', 'content-type': 'application/json' } })
    const client = await start({ '/order': async () => answer })

    const { status, headers, text } = await client.send('/async/order')

    expect(status).to.equal(202)
    expect(headers).to.include({ 'retry-after': '2', 'content-type': 'application/json' })
    expect(text).to.equal('{"status":"queued"}')
  })

  it('adds its cookies and what it varies by to those of the application', async () => {
    const headers = new Headers({ vary: 'Accept' })
    headers.append('set-cookie', 'a=1; Path=/')
    headers.append('set-cookie', 'b=2')
    const client = await start({ '/cookies': async () => new Response('ok', { headers }) })

    const answer = await client.send('/async/cookies')

    expect(answer.headers['set-cookie']).to.have.members(['session=1', 'a=1; Path=/', 'b=2'])
    expect(answer.headers.vary?.split(/, */)).to.have.members(['Origin', 'Accept'])
  })

  it('redirects, and answers without a body where there is none', async () => {
    const client = await start({
      '/moved': async () => new Response(null, { status: 303, headers: { location: '/async/orders/1' } }),
      '/none': async () => new Response(null, { status: 204 }),
      '/same': async () => new Response(null, { status: 304, headers: { etag: '"1"' } }),
    })

    const [moved, none, same] = await Promise.all(['/moved', '/none', '/same'].map((path) => client.send(`/async${path}`)))

    expect(moved).to.include({ status: 303, text: '' }).and.to.have.nested.property('headers.location', '/async/orders/1')
    expect(none).to.include({ status: 204, text: '' })
    expect(same).to.include({ status: 304, text: '' }).and.to.have.nested.property('headers.etag', '"1"')
  })

  it('answers HEAD with the headers alone, and reads no body for it', async () => {
    let isCancelled = false
    const body = () => new ReadableStream<Uint8Array>({ cancel: () => void (isCancelled = true) })
    const client = await start({ '/page': async () => new Response(body(), { headers: { etag: '"1"' } }) })

    const answer = await client.send('/async/page', { method: 'HEAD' })

    expect(answer).to.include({ status: 200, text: '' }).and.to.have.nested.property('headers.etag', '"1"')
    expect(isCancelled).to.equal(true)
  })
}

function whatIsNotItsOwn(start: StartApp): void {
  it('leaves what is not its own to the application: a route that comes later, or its 404', async () => {
    const client = await start({ '/order': facts }, { own: { '/async/own': 'own', '/asynchronous': 'other' } })

    expect(await client.send('/async/own')).to.include({ status: 200, text: 'own' })
    expect(await client.send('/asynchronous')).to.include({ status: 200, text: 'other' })
    const missing = await client.send('/async/nothing', { headers: { 'x-test-user': 'ada' } })
    expect(missing.status).to.equal(404)
    expect(missing.headers['set-cookie'], 'by the application').to.deep.equal(['session=1'])
  })

  it('answers at two mounts of one application, each for itself', async () => {
    const at = (name: string): HttpHandler => async ({ mount, path }) => (path === '/x' ? Response.json({ name, mount }) : undefined)
    const client = await start({}, { mounts: { '/one': at('first'), '/two': at('second') } })

    expect(await client.json('/one/x')).to.deep.equal({ name: 'first', mount: '/one' })
    expect(await client.json('/two/x')).to.deep.equal({ name: 'second', mount: '/two' })
  })
}

function whenItFails(start: StartApp, { hasErrorHandler, keepsHalfReadConnections }: HttpDifferences): void {
  it('hands a failure to the error handler of the application, and tells the client nothing of it', async () => {
    const failure = new TypeError('planted')
    const seen: unknown[] = []
    const failing: HttpHandler = () => Promise.reject(failure)
    const client = await start({ '/fails': failing, '/ok': facts }, { onError: (error) => seen.push(error) })

    const { status, headers, text } = await client.send('/async/fails')

    expect(status).to.equal(500)
    expect(text).to.not.include('planted')
    if (hasErrorHandler) expect([seen, text]).to.deep.equal([[failure], 'failed'])
    else expect(headers['content-type']).to.equal('application/problem+json')
    expect((await client.send('/async/ok')).status).to.equal(200)
  })

  it('cuts the connection when its body fails half way, and serves on', async () => {
    const sent = signal<void>()
    const body = () =>
      new ReadableStream<Uint8Array>({
        start: (controller) => controller.enqueue(Buffer.from('first')),
        pull: async (controller) => {
          await sent.promise
          controller.error(new TypeError('planted'))
        },
      })
    const client = await start({ '/breaks': async () => new Response(body()), '/ok': facts })

    const response = await client.open('/async/breaks')
    response.on('error', () => {}) // the cut
    const [first] = (await once(response, 'data')) as [Buffer] // documented by Node
    const closed = signal<void>()
    response.on('close', closed.resolve)
    sent.resolve()
    await closed.promise

    expect(first.toString()).to.equal('first')
    expect(response.complete).to.equal(false)
    expect((await client.send('/async/ok')).status).to.equal(200)
  })

  it('can be followed by the next request on the same connection after it refused a body', async () => {
    const refuse: HttpHandler = async () => new Response('too large', { status: 413 })
    const half: HttpHandler = async (exchange) => {
      await exchange.request.body?.getReader().read()
      return refuse(exchange)
    }
    const client = await start({ '/unread': refuse, '/half': half, '/ok': facts })
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const upload = { method: 'POST', body: Buffer.alloc(5_000_000), headers: { 'content-type': 'application/octet-stream' }, agent }

    for (const path of keepsHalfReadConnections ? ['/async/unread', '/async/half'] : ['/async/unread']) {
      expect(await client.send(path, upload)).to.include({ status: 413, text: 'too large' })
      expect((await client.send('/async/ok', { agent })).status).to.equal(200)
    }
    agent.destroy()
  })
}
