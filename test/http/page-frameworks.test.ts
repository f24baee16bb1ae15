import { expect } from 'chai'
import { waitingPageHandler, type Standing } from 'errand/page'
import type { Serve } from '../contract/http-app.js'
import { HttpClient, type Sent } from '../contract/http-client.js'
import { mirror, respond, walk } from '../fixtures/page/tasks.js'
import { serveExpress } from '../frameworks/servers/express.js'
import { serveFastify } from '../frameworks/servers/fastify.js'
import { serveHono } from '../frameworks/servers/hono.js'
import { serveHttp } from '../frameworks/servers/http.js'
import { serveKoa } from '../frameworks/servers/koa.js'
import { PageApp } from '../kit/page-app.js'
import { eachScope } from '../kit/temporary.js'

const FRAMEWORKS: Readonly<Record<string, Serve>> = { Express: serveExpress, Fastify: serveFastify, Koa: serveKoa, Hono: serveHono, 'plain http': serveHttp }
const ADA = { 'x-test-user': 'ada' }
const FORM = { ...ADA, 'content-type': 'application/x-www-form-urlencoded' }

describe('A waiting page in the frameworks', function () {
  this.timeout(30_000)
  const scope = eachScope()

  for (const [name, serve] of Object.entries(FRAMEWORKS)) {
    it(`is started, watched and replayed by ${name}`, async () => {
      const { app, client } = await served(serve)
      const begun = await client.send('/a/walk', { method: 'POST', headers: FORM, body: 'steps=1' })
      expect([begun.status, begun.headers.location?.split('=')[0]]).to.deep.equal([303, '/a/walk/processing?process_id'])
      const page = begun.headers.location ?? ''

      let said = ''
      for await (const chunk of (await client.open(page, { headers: { ...ADA, accept: 'text/event-stream' } })).setEncoding('utf8')) {
        said += String(chunk)
        if (said.includes('"progress":50')) app.open('step-1')
      }
      expect(said).to.match(/"completed":true\}\n\n$/)
      expect((await client.send(page, { headers: ADA })).headers.location).to.equal(page.replace('/processing', '/result'))
      const result = await client.send(page.replace('/processing', '/result'), { headers: ADA })
      expect(result.text).to.include('Walked 1 steps')
      expect((await client.send('/a/walk/processing?process_id=x', { headers: ADA })).status).to.equal(404)
      expect((await client.send('/a/walk/nowhere')).status).to.equal(404)
    })

    it(`replays cookies and takes bodies that ${name} has parsed`, async () => {
      const { client } = await served(serve, true)
      const respondId = await began(client, '/a/respond', { headers: FORM, body: 'name=Ada' })
      const mirrorId = await began(client, '/a/mirror', { headers: { ...ADA, 'content-type': 'application/json' }, body: '{"a":[1]}' })

      await ended(client, '/a/respond', respondId)
      const response = await client.send(`/a/respond/result?process_id=${respondId}`, { headers: ADA })
      expect(response.status).to.equal(201)
      expect(response.headers['set-cookie']).to.include('seen=yes%3B%20really; Path=/; SameSite=Lax; HttpOnly')
      expect(response.text).to.equal('name\nAda\n')
      await ended(client, '/a/mirror', mirrorId)
      const { request, user } = await client.json(`/a/mirror/result?process_id=${mirrorId}`, { headers: ADA })
      expect([request, user]).to.deep.equal([{ method: 'POST', url: `http://127.0.0.1:${client.port}/a/mirror`, form: {}, body: { a: [1] } }, 'ada'])
    })
  }

  async function served(serve: Serve, parses = false): Promise<{ readonly app: PageApp; readonly client: HttpClient }> {
    const app = new PageApp(scope())
    await app.startWithoutServer()
    const mounts = { '/a/walk': waitingPageHandler({ run: walk }), '/a/respond': waitingPageHandler({ run: respond }), '/a/mirror': waitingPageHandler({ run: mirror }) }
    const { port, close } = await serve({ mounts, parses, own: {}, onError: () => {} })
    scope().defer(close)
    await app.worker()
    return { app, client: new HttpClient(port) }
  }

  async function began(client: HttpClient, view: string, { headers = {}, ...sent }: Sent): Promise<string> {
    const { status, text } = await client.send(view, { method: 'POST', headers: { ...headers, accept: 'application/json' }, ...sent })
    expect(status, text).to.equal(202)
    // the documented form
    return (JSON.parse(text) as Standing).process_id
  }

  /** The events of a process end with it. */
  async function ended(client: HttpClient, view: string, id: string): Promise<void> {
    const { text } = await client.send(`${view}/events?process_id=${id}`, { headers: ADA })
    expect(text).to.include('"completed":true')
  }
})
