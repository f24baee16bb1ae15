import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import type { HttpExchange } from '#src/http/handler.js'
import { answerWith, mount, requestContext } from 'errand/http'
import { HttpClient } from '../contract/http-client.js'
import { served } from '../contract/http-app.js'
import { eachScope } from '../kit/temporary.js'
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

  it('leaves a method that the web standard has no requests for to the application', async () => {
    const answer = answerWith(facts)
    const client = await start((request, response) => void answer(request, response, () => response.end('next')))

    expect((await client.send('/a', { method: 'TRACE' })).text).to.equal('next')
  })
})
