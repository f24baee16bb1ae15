import { expect } from 'chai'
import { start } from 'errand'
import type { WaitingPageView } from 'errand/page'
import { startTesting } from 'errand/testing'
import { ErrandError, type ErrorCode } from '#src/errors.js'
import { silentLogger } from '#src/core/logger.js'
import { appState } from '#src/runtime/app.js'
import { eachScope } from '../kit/temporary.js'
import { PageApp } from '../kit/page-app.js'
import { until } from '../kit/until.js'
import { fails, mirror, walk } from '../fixtures/page/tasks.js'

describe('A waiting page where something is missing', function () {
  this.timeout(120_000)
  const scope = eachScope()

  it('works with "withAsync: false" too, where the body runs in the server', async () => {
    const running = await start({ withAsync: false, logger: silentLogger })
    scope().defer(() => running.stop())
    const app = new PageApp(scope())
    await app.serve({ '/mirror': { run: mirror }, '/fails': { run: fails } })

    const id = await app.begin('/mirror', { form: { a: '1' } })
    await app.ended('/mirror', id)
    const failing = await app.begin('/fails')
    await app.ended('/fails', failing)

    const result = await app.ask(`/mirror/result?process_id=${id}`, { user: 'ada' })
    expect(await result.json()).to.deep.include({ user: 'ada' })
    expect((await app.ask(`/mirror/result?process_id=${id}`, { user: 'eve' })).status).to.equal(404)
    expect((await app.ask(`/fails/result?process_id=${failing}`, { user: 'ada' })).status).to.equal(500)
  })

  it('works in the test mode, where tasks run in the process of the test', async () => {
    const testing = await startTesting()
    scope().defer(() => testing.stop())
    const app = new PageApp(scope())
    await app.serve({ '/mirror': { run: mirror } })

    const id = await app.begin('/mirror', { form: { a: '1' } })
    await testing.idle()

    const result = await app.ask(`/mirror/result?process_id=${id}`, { user: 'ada' })
    expect(await result.json()).to.deep.include({ user: 'ada' })
  })

  it('says that it is not possible just now while the broker or the store is away, and starts nothing', async () => {
    const app = new PageApp(scope())
    await app.start({ '/walk': { run: walk } })
    const state = appState()
    if (state.kind !== 'on') throw new Error('The server is not started')
    const codes: ErrorCode[] = ['BROKER_UNREACHABLE', 'BROKER_REFUSED']
    const away = (): never => {
      throw new ErrandError(codes.shift() ?? 'BROKER_UNREACHABLE', 'Cannot publish: no broker.')
    }
    // by itself, and within a transaction with the states
    Object.assign(state.runtime.broker, { publish: async () => away(), publishing: away })

    const page = await app.ask('/walk', { method: 'POST', user: 'ada' })
    const json = await app.ask('/walk', { method: 'POST', user: 'ada', accept: 'application/json', headers: { 'accept-language': 'it' } })

    expect([page.status, page.headers.get('retry-after')]).to.deep.equal([503, '5'])
    expect(await page.text()).to.include('Not possible just now').and.not.include('broker')
    expect([json.status, await json.json()]).to.deep.equal([
      503,
      { title: 'Al momento non è possibile', detail: 'L’avvio non è riuscito e nulla è in corso. Riprovi tra poco.', status: 503 },
    ])
  })

  it('starts nothing where nothing would be kept of it', async () => {
    const app = new PageApp(scope(), { store: 'off' })
    await app.start({ '/walk': { run: walk } })

    const refused = await app.ask('/walk', { method: 'POST', user: 'ada' })

    expect([refused.status, await refused.text()]).to.deep.equal([500, 'ErrandError: A waiting page cannot start page.walk: "store: off" keeps nothing of it. Configure "store: sqlite" or a PostgreSQL URL.'])
  })

  it('shows what there is on pages of the application: the value, why it failed, and that it is unknown', async () => {
    const view: WaitingPageView = {
      run: mirror,
      resultPage: ({ value, texts }) => `${texts.completedTitle}: ${JSON.stringify(value)}`,
      failedPage: ({ kind, status }) => new Response(`${kind} ${status?.state}`, { status: 418 }),
      unknownPage: ({ locale, links }) => `${locale} ${links.view}`,
    }
    const app = new PageApp(scope())
    await app.start({ '/mirror': view, '/fails': { ...view, run: fails } })
    await app.worker()
    const id = await app.begin('/mirror')
    await app.ended('/mirror', id)
    const failing = await app.begin('/fails')
    await app.ended('/fails', failing)

    expect(await (await app.ask(`/mirror/result?process_id=${id}`, { user: 'ada' })).text()).to.match(/^Done: \{"request":\{"method":"POST"/)
    const failed = await app.ask(`/fails/result?process_id=${failing}`, { user: 'ada' })
    expect([failed.status, await failed.text()]).to.deep.equal([418, 'failed failed'])
    expect(await (await app.ask('/mirror/result?process_id=x', { headers: { 'accept-language': 'fr' } })).text()).to.equal('fr /mirror')
  })

  it('shows the end of a process whose record is gone as unknown, also to those who watch', async () => {
    const app = new PageApp(scope())
    await app.start({ '/walk': { run: walk } })
    const id = await app.begin('/walk')
    const state = appState()
    if (state.kind !== 'on' || state.runtime.tracking === undefined) throw new Error('The server is not started')
    const { store } = state.runtime.tracking
    const response = await app.ask(`/walk/events?process_id=${id}`, { user: 'ada' })
    await store.record([{ kind: 'cancelled', id, at: Date.now(), expiresAt: Date.now() }])
    const said = await response.text()

    expect(said.trim().split('\n\n').at(-1)).to.match(/"state":"(?:cancelled|unknown)".*"completed":"ERROR"/)
    await until('its time is over', async () => (await app.ask(`/walk/result?process_id=${id}`, { user: 'ada' })).status === 404)
  })
})
