import { createAdaptorServer, type HttpBindings } from '@hono/node-server'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { expect } from 'chai'
import { Hono, type Context as HonoContext } from 'hono'
import type { Server } from 'node:http'
import { context } from 'errand'
import { answerWith, requestContext } from 'errand/hono'
import { frameworkContract } from '../contract/framework-contract.js'
import { served } from '../contract/http-app.js'

interface Env {
  readonly Bindings: HttpBindings
  readonly Variables: { user: unknown }
}

frameworkContract(
  'Hono',
  async ({ options, early, authenticate, handle, failure }) => {
    const app = new Hono<Env>()
    const { user, extra, ...rest } = options
    const asked = (c: HonoContext<Env>) => ({ user: c.get('user') })
    app.use(
      requestContext({
        ...rest,
        ...(user && { user: (c: HonoContext<Env>) => user(asked(c)) }),
        ...(extra && { extra: (c: HonoContext<Env>) => extra(asked(c)) }),
      }),
    )
    app.use(async (c, next) => {
      early()
      c.set('user', await authenticate(c.env.incoming.headers))
      await next()
    })
    app.all('/*', async (c) => {
      const answer = await handle(c.req.path, c.env.incoming, c.env.outgoing)
      return c.env.outgoing.destroyed ? RESPONSE_ALREADY_SENT : c.body(JSON.stringify(answer), 200, { 'content-type': 'application/json' })
    })
    app.onError((error, c) => c.json(failure(error), 500))
    // it serves HTTP/1 unless told otherwise
    return served((createAdaptorServer(app) as Server).listen(0, '127.0.0.1'))
  },
  { refusesBadHosts: true },
)

describe('The adapter of Hono', () => {
  it('hands on what is no JSON although it says so, for the handler to refuse', async () => {
    const app = new Hono()
    app.use(requestContext({ body: true }))
    app.use('/async/*', answerWith(async ({ parsedBody }) => Response.json({ parsedBody, body: context().body })))

    const answer = await app.request('/async/x', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"year":' })

    expect(await answer.json()).to.deep.equal({ parsedBody: '{"year":', body: '{"year":' })
  })

  it('works without Node: a request in, a response out', async () => {
    const app = new Hono<{ Variables: { user: unknown } }>().basePath('/api')
    app.use(requestContext())
    app.use(async (c, next) => (c.set('user', { id: 'ada' }), next()))
    app.use('/:tenant/async/*', answerWith(async ({ mount, path }) => (path === '/x' ? Response.json({ mount, path, ...context() }) : undefined)))

    const seen = await (await app.request('https://shop.example/api/acme/async/x?y=1', { headers: { 'x-request-id': 'r1' } })).json()

    expect(seen).to.deep.include({ mount: '/api/acme/async', path: '/x', url: 'https://shop.example/api/acme/async/x?y=1', requestId: 'r1', user: { id: 'ada' } })
    expect((await app.request('/api/acme/async/y')).status).to.equal(404)
  })
})
