import { expect } from 'chai'
import express from 'express'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { context } from 'errand'
import { requestContext } from 'errand/express'
import { Client } from '../contract/framework-client.js'
import { frameworkContract, type ServedApp } from '../contract/framework-contract.js'

async function listen(app: express.Express): Promise<ServedApp> {
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

frameworkContract('Express', async ({ options, early, authenticate, handle, failure }) => {
  const app = express()
  app.use(requestContext(options))
  app.use((_request, _response, next) => {
    early()
    next()
  })
  app.use(express.json())
  app.use(async (request: express.Request & { user?: unknown }, _response, next) => {
    request.user = await authenticate(request.headers)
    next()
  })
  app.use(async (request, response) => {
    response.json(await handle(request.path, request, response))
  })
  app.use((error: unknown, _request: express.Request, response: express.Response, _next: express.NextFunction) => {
    response.status(500).json(failure(error))
  })
  return listen(app)
})

describe('requestContext of errand/express', () => {
  const opened: ServedApp[] = []
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((app) => app.close()))
  })

  async function start(prepare: (app: express.Express) => void): Promise<Client> {
    const app = express()
    prepare(app)
    const served = await listen(app)
    opened.push(served)
    return new Client(served.port)
  }

  const forwarded = {
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'shop.example:8443, inner',
    'x-forwarded-for': '203.0.113.9',
  }

  it('believes a proxy that the application trusts', async () => {
    const client = await start((app) => {
      app.set('trust proxy', 'loopback')
      app.use(requestContext())
      app.get('/a', (_request, response) => void response.json(context()))
    })

    const seen = await client.get('/a?b=1', forwarded)

    expect(seen).to.include({ url: 'https://shop.example:8443/a?b=1', clientAddress: '203.0.113.9' })
  })

  it('believes no proxy otherwise', async () => {
    const client = await start((app) => {
      app.use(requestContext())
      app.get('/a', (_request, response) => void response.json(context()))
    })

    const seen = await client.get('/a?b=1', forwarded)

    expect(seen['url']).to.equal(`http://127.0.0.1:${client.port}/a?b=1`)
    expect(seen['clientAddress']).to.match(/127\.0\.0\.1$/)
  })

  it('shows the whole path inside a mounted router', async () => {
    const client = await start((app) => {
      const router = express.Router()
      router.use(requestContext())
      router.get('/inner', (_request, response) => void response.json(context()))
      app.use('/outer', router)
    })

    expect(await client.get('/outer/inner?x=1')).to.have.property('url', `http://127.0.0.1:${client.port}/outer/inner?x=1`)
  })

  it('hands the request of the framework to the functions of the application', async () => {
    const client = await start((app) => {
      app.use(requestContext({ user: (request: express.Request) => ({ id: request.get('x-test-user') }) }))
      app.get('/', (_request, response) => void response.json(context().user))
    })

    expect(await client.get('/', { 'x-test-user': 'ada' })).to.deep.equal({ id: 'ada' })
  })

  it('refuses options it does not know, and values that an option cannot have', () => {
    expect(() => requestContext({ usr: () => undefined } as object)).to.throw('Did you mean "user"?')
    expect(() => requestContext({ user: 'ada' } as object)).to.throw('takes a function of the request as "user"')
    expect(() => requestContext({ headers: 'x-tenant' } as object)).to.throw('takes a list of header names as "headers"')
    expect(() => requestContext({ body: 'yes' } as object)).to.throw('takes true or false as "body"')
  })
})
