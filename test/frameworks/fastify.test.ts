import { expect } from 'chai'
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import { context } from 'errand'
import { requestContext } from 'errand/fastify'
import { Client } from '../contract/framework-client.js'
import { frameworkContract, type ServedApp } from '../contract/framework-contract.js'

async function listen(app: FastifyInstance): Promise<ServedApp> {
  const url = new URL(await app.listen({ port: 0, host: '127.0.0.1' }))
  return { port: Number(url.port), close: () => app.close() }
}

frameworkContract('Fastify', async ({ options, early, authenticate, handle, failure }) => {
  const app = fastify({ forceCloseConnections: true })
  await app.register(requestContext(options))
  app.decorateRequest('user', null)
  app.addHook('onRequest', async () => early())
  app.addHook('preHandler', async (request: FastifyRequest & { user?: unknown }) => {
    request.user = await authenticate(request.headers)
  })
  app.addContentTypeParser('application/octet-stream', (_request, _payload, done) => done(null))
  app.all('/*', async (request, reply) => {
    const answer = await handle(request.url.split('?', 1)[0] ?? '', request.raw, reply.raw)
    return reply.type('application/json').send(JSON.stringify(answer))
  })
  app.setErrorHandler((error, _request, reply) => reply.status(500).send(failure(error)))
  return listen(app)
})

describe('requestContext of errand/fastify', () => {
  const opened: ServedApp[] = []
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((app) => app.close()))
  })

  it('covers the routes of every plugin, and all their hooks', async () => {
    const app = fastify()
    const seen: unknown[] = []
    await app.register(requestContext({ user: (request: FastifyRequest) => request.headers['x-test-user'] }))
    await app.register(async (inner) => {
      for (const hook of ['preParsing', 'preValidation', 'preHandler', 'onSend', 'onResponse'] as const) {
        inner.addHook(hook, async () => void seen.push([hook, context().user]))
      }
      inner.post('/inner', async () => ({ user: context().user }))
    })
    opened.push(await listen(app))

    const answer = await app.inject({ method: 'POST', url: '/inner', headers: { 'x-test-user': 'ada' }, payload: { a: 1 } })

    expect(answer.json()).to.deep.equal({ user: 'ada' })
    expect(seen).to.deep.equal(['preParsing', 'preValidation', 'preHandler', 'onSend', 'onResponse'].map((hook) => [hook, 'ada']))
  })

  it('believes a proxy that the application trusts, and no other', async () => {
    const forwarded = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'shop.example:8443', 'x-forwarded-for': '203.0.113.9' }
    const clients = await Promise.all(
      [true, false].map(async (trustProxy) => {
        const app = fastify({ trustProxy })
        await app.register(requestContext())
        app.get('/a', async () => context())
        const served = await listen(app)
        opened.push(served)
        return new Client(served.port)
      }),
    )

    const [trusting, distrusting] = await Promise.all(clients.map((client) => client.get('/a?b=1', forwarded)))

    expect(trusting).to.include({ url: 'https://shop.example:8443/a?b=1', clientAddress: '203.0.113.9' })
    expect(distrusting).to.include({ url: `http://127.0.0.1:${clients[1]?.port}/a?b=1`, clientAddress: '127.0.0.1' })
  })
})
