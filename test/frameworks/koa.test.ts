import { expect } from 'chai'
import Koa, { type Context as KoaContext } from 'koa'
import { context } from 'errand'
import { answerWith, mount, requestContext } from 'errand/koa'
import { eachScope } from '../kit/temporary.js'
import { Client } from '../contract/framework-client.js'
import { frameworkContract } from '../contract/framework-contract.js'
import { served } from '../contract/http-app.js'
import { jsonOf } from './servers/json.js'

frameworkContract('Koa', async ({ options, early, authenticate, handle, failure }) => {
  const app = new Koa()
  app.silent = true // it prints that a client hung up
  app.use(async (ctx, next) => {
    try {
      await next()
    } catch (error) {
      ctx.status = 500
      ctx.body = failure(error)
    }
  })
  const { user } = options
  app.use(requestContext({ ...withState(options), ...(user && { user: (ctx: KoaContext) => user(ctx.state) }) }))
  app.use(async (ctx, next) => {
    early()
    Object.assign(ctx.request, { body: await jsonOf(ctx.req) })
    ctx.state['user'] = await authenticate(ctx.headers)
    await next()
  })
  app.use(async (ctx) => {
    const answer = await handle(ctx.path, ctx.req, ctx.res)
    ctx.type = 'application/json'
    ctx.body = JSON.stringify(answer)
  })
  return served(app.listen(0, '127.0.0.1'))
})

/** The functions of the contract ask a request for its user; Koa keeps it in `ctx.state`. */
function withState({ extra, user: _user, ...rest }: Parameters<Parameters<typeof frameworkContract>[1]>[0]['options']) {
  return { ...rest, ...(extra && { extra: (ctx: KoaContext) => extra(ctx.state) }) }
}

describe('The adapter of Koa', () => {
  const scope = eachScope()

  async function start(app: Koa): Promise<Client> {
    const { port, close } = await served(app.listen(0, '127.0.0.1'))
    scope().defer(close)
    return new Client(port)
  }

  it('believes a proxy that the application trusts, and no other', async () => {
    const forwarded = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'shop.example:8443', 'x-forwarded-for': '203.0.113.9' }
    const [trusting, distrusting] = await Promise.all(
      [true, false].map(async (proxy) => {
        const app = new Koa({ proxy })
        app.use(requestContext())
        app.use((ctx) => void (ctx.body = context()))
        return (await start(app)).get('/a?b=1', forwarded)
      }),
    )

    expect(trusting).to.include({ url: 'https://shop.example:8443/a?b=1', clientAddress: '203.0.113.9' })
    expect(distrusting?.['url']).to.match(/^http:\/\/127\.0\.0\.1:\d+\/a\?b=1$/)
  })

  it('mounts within a mount, and shows what comes after it the whole path again', async () => {
    const app = new Koa()
    const inner = answerWith(async ({ mount, path }) => (path === '/x' ? Response.json({ mount, path }) : undefined))
    app.use(mount('/outer/', mount('/inner', inner)))
    app.use((ctx) => void (ctx.body = { path: ctx.path }))
    const client = await start(app)

    expect(await client.get('/outer/inner/x')).to.deep.equal({ mount: '/outer/inner', path: '/x' })
    expect(await client.get('/outer/inner/y')).to.deep.equal({ path: '/outer/inner/y' })
    expect(await client.get('/outer/innermost')).to.deep.equal({ path: '/outer/innermost' })
  })
})
