import { expect } from 'chai'
import { withContext, type ContextInput } from 'errand'
import { waitingPageHandler, type WaitingPageView } from 'errand/page'
import { eachScope } from '../kit/temporary.js'
import { PageApp } from '../kit/page-app.js'
import { mirror, once, respond, walk } from '../fixtures/page/tasks.js'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

describe('What a waiting page shows to whom', function () {
  this.timeout(120_000)
  const scope = eachScope()

  async function appWith(views: Readonly<Record<string, WaitingPageView>>): Promise<PageApp> {
    const app = new PageApp(scope())
    await app.start(views)
    return app
  }

  it('gives result, cookies and headers to the person who started it; an admin sees the body alone (129, 144)', async () => {
    const view: WaitingPageView = { run: respond, isAdmin: ({ user }) => user?.id === 'root' }
    const app = await appWith({ '/respond': view })
    await app.worker()
    const id = await app.begin('/respond', { form: { name: 'Ada' } })
    await app.ended('/respond', id)

    for (const user of ['eve', undefined]) {
      const other = await app.ask(`/respond/result?process_id=${id}`, user === undefined ? {} : { user })
      expect([other.status, other.headers.getSetCookie(), other.headers.get('x-made-by')]).to.deep.equal([404, [], null])
      expect(await other.text()).to.include('Nothing to see here')
    }
    const admin = await app.ask(`/respond/result?process_id=${id}`, { user: 'root' })
    expect([admin.status, admin.headers.getSetCookie(), admin.headers.get('x-made-by')]).to.deep.equal([201, [], null])
    expect(await admin.text()).to.equal('name\nAda\n')
  })

  it('gives no admin a result that can be read once (129)', async () => {
    const app = await appWith({ '/once': { run: once, isAdmin: ({ user }) => user?.id === 'root' } })
    await app.worker()
    const id = await app.begin('/once')
    await app.ended('/once', id)

    expect((await app.ask(`/once/result?process_id=${id}`, { user: 'root' })).status).to.equal(404)
    expect(await (await app.ask(`/once/result?process_id=${id}`, { user: 'ada' })).text()).to.equal('for one pair of eyes')
  })

  it('answers 404 for everything about what somebody else started, and for processes of other views (144)', async () => {
    const app = await appWith({ '/walk': { run: walk }, '/mirror': { run: mirror } })
    const id = await app.begin('/walk')

    for (const path of ['processing', 'completed', 'result', 'events']) {
      for (const accept of ['text/html', 'application/json', 'text/event-stream']) {
        const theirs = await app.ask(`/walk/${path}?process_id=${id}`, { user: 'eve', accept })
        expect(theirs.status, `${path} as ${accept}`).to.equal(404)
        const elsewhere = await app.ask(`/mirror/${path}?process_id=${id}`, { user: 'ada', accept })
        expect(elsewhere.status, `${path} of another view`).to.equal(404)
      }
    }
    const cancelled = await app.ask('/walk/cancel', { method: 'POST', user: 'eve', body: new URLSearchParams({ process_id: id }) })
    expect(cancelled.status).to.equal(404)
    expect((await app.standing('/walk', id)).state).to.equal('queued')
  })

  it('makes ids that nobody can guess (145)', async () => {
    const app = await appWith({ '/walk': { run: walk } })

    const ids = await Promise.all(Array.from({ length: 20 }, () => app.begin('/walk')))

    expect(new Set(ids).size).to.equal(20)
    for (const id of ids) expect(id).to.match(UUID)
  })

  it('knows somebody who is not signed in by a cookie that only this application can make (129)', async () => {
    const app = await appWith({ '/walk': { run: walk } })

    const start = await app.ask('/walk', { method: 'POST' })
    const [set = ''] = start.headers.getSetCookie()
    const [cookie = ''] = set.split(';', 1)
    const page = start.headers.get('location') ?? ''

    expect(set).to.match(/^errand_visitor=[\w.-]+; Path=\/walk; SameSite=Lax; Max-Age=604800; HttpOnly$/)
    expect((await app.ask(page, { cookie })).status).to.equal(200)
    expect((await app.ask(page)).status).to.equal(404)
    const [text = '', ...signature] = cookie.split('.')
    const forged = [`${text.slice(0, -1)}${text.endsWith('A') ? 'B' : 'A'}`, ...signature].join('.')
    expect((await app.ask(page, { cookie: forged })).status).to.equal(404)
    const second = await app.ask('/walk', { method: 'POST', cookie })
    expect(second.headers.getSetCookie()).to.deep.equal([])
    expect((await app.ask(second.headers.get('location') ?? '', { cookie })).status).to.equal(200)
  })

  it('knows somebody who is not signed in by a signed address, where the view says so, and those who are as ever', async () => {
    const app = await appWith({ '/walk': { run: walk, anonymous: 'link' }, '/cookie': { run: walk } })

    const start = await app.ask('/walk', { method: 'POST', accept: 'application/json' })
    const { process_id: id } = (await start.json()) as { readonly process_id: string }
    const statusOf = async (of: string, view = '/walk'): Promise<number> => (await app.ask(`${view}/processing?process_id=${of}`)).status

    expect(start.headers.getSetCookie()).to.deep.equal([])
    expect(id).to.match(/^[0-9a-f-]{36}\.[\w-]+\.[\w-]{43}$/)
    expect(await statusOf(id)).to.equal(200)
    expect((await app.standing('/walk', id)).process_id).to.equal(id)
    expect(await statusOf(id.slice(0, 36))).to.equal(404)
    expect(await statusOf(`${id.slice(0, -1)}${id.endsWith('A') ? 'B' : 'A'}`)).to.equal(404)
    expect(await statusOf(id, '/cookie')).to.equal(404)
    const signedIn = await app.begin('/walk')
    expect(signedIn).to.match(UUID)
    expect(await statusOf(signedIn)).to.equal(404)
  })

  it('tells people of one id apart by their tenants (144)', async () => {
    const app = await appWith({ '/walk': { run: walk } })
    const handler = waitingPageHandler({ run: walk, key: () => 'the same'.repeat(200) })
    const askAs = async (tenant: string, path: string, init: RequestInit = {}): Promise<Response | undefined> => {
      const request = new Request(`${app.origin}/walk${path}`, init)
      const who = { user: { id: 'ada' }, tenant } as ContextInput // as an application declares it
      return withContext(who, () => handler({ request, mount: '/walk', path: path.replace(/\?.*/, '') }))
    }

    const start = await askAs('acme', '', { method: 'POST' })
    const page = (start?.headers.get('location') ?? '').replace('/walk', '')

    expect((await askAs('acme', page))?.status).to.equal(200)
    expect((await askAs('other', page))?.status).to.equal(404)
    // nor is one led to the work of the other
    const theirs = await askAs('other', '', { method: 'POST' })
    expect(theirs?.headers.get('location')).to.match(/process_id=/).and.not.equal(start?.headers.get('location'))
    expect((await askAs('acme', '', { method: 'POST' }))?.headers.get('location')).to.equal(start?.headers.get('location'))
  })

  it('sends the cookie of somebody who is not signed in over HTTPS alone where the page came so, for the view alone (129)', async () => {
    await appWith({})
    const handler = waitingPageHandler({ run: walk })
    const cookieAt = async (url: string, mount: string): Promise<string | undefined> => {
      const response = await withContext({}, () => handler({ request: new Request(url, { method: 'POST' }), mount, path: '' }))
      return response?.headers.getSetCookie()[0]?.replace(/=[^;]*;/, '=…;')
    }

    expect(await cookieAt('https://shop.example/a/walk', '/a/walk')).to.equal('errand_visitor=…; Path=/a/walk; SameSite=Lax; Max-Age=604800; HttpOnly; Secure')
    expect(await cookieAt('http://shop.example/a;Domain=b', '/a;Domain=b')).to.equal('errand_visitor=…; Path=/; SameSite=Lax; Max-Age=604800; HttpOnly')
  })
})
