import { expect } from 'chai'
import { createFetch, fetch as errandFetch } from 'errand/fetch'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { withContext } from '#src/core/context.js'
import { refusalOf } from '../kit/sealing.js'
import { eachScope } from '../kit/temporary.js'

const TOKEN = 'Bearer planted'
const CALLER = {
  headers: { authorization: TOKEN, cookie: 'sid=1', traceparent: '00-1-2-01', tracestate: 'a=b', 'accept-language': 'fr' },
  requestId: 'request-1',
}

const asCaller = <T>(fn: () => T): T => withContext(CALLER as never, fn)

describe('fetch', () => {
  const scope = eachScope()

  /** A server that answers the headers it got, and its origin. */
  async function serve(listener: RequestListener = (request, response) => response.end(JSON.stringify(request.headers))): Promise<string> {
    const server = createServer(listener).listen(0, '127.0.0.1')
    scope().defer(async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    })
    await once(server, 'listening')
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}` // it listens on TCP
  }

  const headersOf = async (response: Promise<Response>): Promise<IncomingHttpHeaders> => (await (await response).json()) as IncomingHttpHeaders

  it('sends the trace and the request id of the caller to anyone, and a token to nobody', async () => {
    const origin = await serve()

    for (const fetch of [errandFetch, createFetch({}), createFetch({ origins: ['https://api.example.com'] })]) {
      const headers = await headersOf(asCaller(() => fetch(`${origin}/path`)))
      expect(headers).to.include({ traceparent: '00-1-2-01', tracestate: 'a=b', 'x-request-id': 'request-1' })
      expect(headers).to.not.have.any.keys('authorization', 'cookie')
    }
  })

  it('sends the token of the caller to a listed origin, however the request is given', async () => {
    const origin = await serve()
    const fetch = createFetch({ origins: ['https://api.example.com', `${origin}/`] })

    for (const input of [`${origin}/a?b=1`, new URL(origin), new Request(origin, { method: 'POST', body: '{}' })]) {
      const headers = await headersOf(asCaller(() => fetch(input)))
      expect(headers).to.include({ authorization: TOKEN, traceparent: '00-1-2-01' })
      expect(headers).to.not.have.property('cookie')
    }
  })

  it('takes only the very origin: not another port, scheme, subdomain or a name that begins alike', async () => {
    const seen: (string | null)[] = []
    const underneath = ((_input: unknown, init: RequestInit) => {
      seen.push(new Headers(init.headers).get('authorization'))
      return Promise.resolve(new Response())
    }) as typeof globalThis.fetch
    const fetch = createFetch({ origins: ['https://api.example.com'], fetch: underneath })
    const others = ['https://api.example.com:8443/', 'http://api.example.com/', 'https://x.api.example.com/', 'https://api.example.com.evil.test/']

    for (const url of [...others, 'https://evil.test/https://api.example.com', 'https://api.example.com@evil.test/', 'not a url']) await asCaller(() => fetch(url))
    expect(seen).to.deep.equal(Array(7).fill(null))
    await asCaller(() => fetch('https://user:pw@API.example.com:443/x'))

    expect(seen.at(-1)).to.equal(TOKEN)
  })

  it('leaves alone what the request says itself', async () => {
    const origin = await serve()
    const fetch = createFetch({ origins: [origin] })
    const own = { Authorization: 'Basic own', 'X-Request-Id': 'own', accept: 'text/x' }

    const byInit = await headersOf(asCaller(() => fetch(origin, { headers: own })))
    const byRequest = await headersOf(asCaller(() => fetch(new Request(origin, { headers: own }))))

    for (const headers of [byInit, byRequest]) {
      expect(headers).to.include({ authorization: 'Basic own', 'x-request-id': 'own', accept: 'text/x', traceparent: '00-1-2-01' })
    }
  })

  it('adds nothing outside any request', async () => {
    const origin = await serve()

    const headers = await headersOf(createFetch({ origins: [origin] })(origin))

    expect(headers).to.not.have.any.keys('authorization', 'traceparent', 'tracestate', 'x-request-id')
  })

  it('loses the token on a redirect to another origin', async () => {
    const elsewhere = await serve()
    const origin = await serve((_request, response) => response.writeHead(302, { location: elsewhere }).end())

    const headers = await headersOf(asCaller(() => createFetch({ origins: [origin] })(origin)))

    expect(headers).to.not.have.property('authorization')
  })

  it('refuses origins that are none, and shows no password', () => {
    for (const origin of ['api.example.com', 'https://api.example.com/path', 'https://api.example.com?x', 'ftp://api.example.com', '*', 7, '']) {
      expect(refusalOf('OPTION_INVALID', () => createFetch({ origins: [origin as string] })).message).to.include('https://api.example.com')
    }
    expect(refusalOf('OPTION_INVALID', () => createFetch({ origins: ['https://u:planted@h.test'] })).message).to.not.include('planted')
    refusalOf('OPTION_INVALID', () => createFetch({ origin: [] } as never))
  })
})
