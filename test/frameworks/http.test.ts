import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import { connect as connectHttp2, createServer as createHttp2, type IncomingHttpHeaders } from 'node:http2'
import { text } from 'node:stream/consumers'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import type { HttpExchange } from '#src/http/handler.js'
import { answerWith, mount, requestContext } from 'errand/http'
import { HttpClient } from '../contract/http-client.js'
import { served } from '../contract/http-app.js'
import { signal } from '../contract/signal.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'
import { frameworkContract, type AppUnderTest } from '../contract/framework-contract.js'

type Incoming = IncomingMessage & { user?: unknown; body?: unknown }

async function listener(app: AppUnderTest, request: Incoming, response: ServerResponse): Promise<void> {
  app.early()
  try {
    if (request.headers['content-type'] === 'application/json') request.body = JSON.parse(await textOf(request))
    request.user = await app.authenticate(request.headers)
    response.end(JSON.stringify(await app.handle((request.url ?? '').split('?', 1)[0] ?? '', request, response)))
  } catch (error) {
    response.writeHead(500).end(JSON.stringify(app.failure(error)))
  }
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

frameworkContract('plain http', async (app) => {
  const withRequest = requestContext(app.options)
  const server = createServer(withRequest((request: Incoming, response: ServerResponse) => void listener(app, request, response)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
})

describe('The adapter of plain http', () => {
  const scope = eachScope()

  async function start(listener: Parameters<typeof createServer>[1]): Promise<HttpClient> {
    const { port, close } = await served(createServer(listener).listen(0, '127.0.0.1'))
    scope().defer(close)
    return new HttpClient(port)
  }

  const facts = async ({ request, mount, path }: HttpExchange): Promise<Response | undefined> =>
    path === '/none' ? undefined : Response.json({ url: request.url, mount, path })

  it('works as a middleware of routers like connect: it calls next for what is not its own', async () => {
    const answer = mount('/outer', mount('/inner/', answerWith(facts)))
    const client = await start((request, response) => void answer(request, response, () => response.end(`next of ${request.url}`)))

    expect(await client.json('/outer/inner/a?x=1')).to.include({ mount: '/outer/inner', path: '/a' })
    expect((await client.send('/outer/inner/none')).text).to.equal('next of /outer/inner/none')
    expect((await client.send('/outside')).text).to.equal('next of /outside')
  })

  it('sees the address of the server for a host that is none', async () => {
    const client = await start((request, response) => void answerWith(facts)(request, response))

    for (const Host of ['shop.example:99999', 'evil"><script>']) {
      expect(await client.json('/a?q=1', { headers: { Host } })).to.include({ url: `http://127.0.0.1:${client.port}/a?q=1`, path: '/a' })
    }
  })

  it('leaves the body of what is not its own to the application', async () => {
    const client = await start((request, response) => {
      const answer = answerWith(async () => {
        await until('the body', () => request.readableLength > 0 || request.readableDidRead)
        return undefined
      })
      void answer(request, response, () => void text(request).then((body) => response.end(body)))
    })

    expect((await client.send('/none', { method: 'POST', body: 'untouched' })).text).to.equal('untouched')
  })

  it('leaves a method that the web standard has no requests for to the application', async () => {
    const answer = answerWith(facts)
    const client = await start((request, response) => void answer(request, response, () => response.end('next')))

    expect((await client.send('/a', { method: 'TRACE' })).text).to.equal('next')
  })

  it('notices a client that left while the application still looked who it is', async () => {
    const [left, cancelled] = [signal<void>(), signal<boolean>()]
    const body = (): ReadableStream<Uint8Array> =>
      new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(65_536)), cancel: () => cancelled.resolve(true) })
    const answer = answerWith(async ({ request }) => {
      if (request.signal.aborted) cancelled.resolve(true)
      return new Response(body())
    })
    const looking = signal<void>()
    const server = createServer((request, response) => {
      response.once('close', () => left.resolve())
      looking.resolve()
      void left.promise.then(() => answer(request, response))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    scope().defer(() => void server.close())

    const asking = new AbortController()
    const asked = fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, { signal: asking.signal }).catch(() => undefined)
    await looking.promise
    asking.abort()
    await asked

    expect(await cancelled.promise).to.equal(true)
  })

  it('answers over HTTP/2: bodies, several cookies, and events that end with their client', async () => {
    const ended = signal<void>()
    const events = (): ReadableStream<Uint8Array> =>
      new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from('data: 1\n\n')), cancel: () => ended.resolve() })
    const answer = answerWith(async ({ request, path }) => {
      if (path === '/events') return new Response(events(), { headers: { 'content-type': 'text/event-stream' } })
      const headers = new Headers([['set-cookie', 'a=1'], ['set-cookie', 'b=2'], ['x-url', request.url]])
      return new Response(request.body, { status: 201, headers })
    })
    const server = createHttp2((request, response) => void answer(request, response)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const client = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    scope().defer(() => (client.destroy(), server.close()))

    const echo = client.request({ ':path': '/echo?x=1', ':method': 'POST' }).end('hello')
    const [headers] = (await once(echo, 'response')) as [IncomingHttpHeaders]
    // at once: a stream that has closed cannot be read any more
    const echoed = await text(echo)
    const stream = client.request({ ':path': '/events' })
    const [event] = (await once(stream, 'data')) as [Buffer]
    stream.close()

    expect(headers).to.deep.include({ ':status': 201, 'set-cookie': ['a=1', 'b=2'] })
    expect(headers['x-url']).to.match(/^http:\/\/127\.0\.0\.1:\d+\/echo\?x=1$/)
    expect(echoed).to.equal('hello')
    expect(event.toString()).to.equal('data: 1\n\n')
    await ended.promise
  })
})
