import { expect } from 'chai'
import { ErrandError } from 'errand'
import { html, waitingPageHandler, type WaitingPageView } from 'errand/page'
import { eachScope } from '../kit/temporary.js'
import { PageApp } from '../kit/page-app.js'
import { fails, eager, mirror, plainTask, reports, reportView, respond, silent, untracked, walk } from '../fixtures/page/tasks.js'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const UNKNOWN_ID = '00000000-0000-4000-8000-000000000000'

describe('A waiting page', function () {
  this.timeout(120_000)
  const scope = eachScope()

  async function appWith(views: Readonly<Record<string, WaitingPageView>>): Promise<PageApp> {
    const app = new PageApp(scope())
    await app.start(views)
    return app
  }

  it('shows its first page to GET, and starts by POST, which leads to the processing page (124)', async () => {
    const app = await appWith({ '/walk': { run: walk } })

    const first = await app.ask('/walk')
    const start = await app.ask('/walk', { method: 'POST', user: 'ada', body: new URLSearchParams({ steps: '1' }) })

    expect(first.status).to.equal(200)
    expect(await first.text()).to.include('<form method="post" action="/walk">')
    expect(start.status).to.equal(303)
    const [path, id = ''] = (start.headers.get('location') ?? '').split('?process_id=')
    expect(path).to.equal('/walk/processing')
    expect(id).to.match(UUID)
  })

  it('takes an instance whose method run is the task, and calls its functions as its methods (124)', async () => {
    const app = await appWith({ '/report': reportView })
    await app.worker()

    const id = await app.begin('/report', { form: { year: '2026' } })
    await app.ended('/report', id)
    const result = await app.ask(`/report/result?process_id=${id}`, { user: 'ada' })

    expect(await result.text()).to.equal('Reports for 2026')
    expect(await (await app.ask('/report')).text()).to.equal('<!doctype html><title>Reports</title>')
  })

  it('starts by what runProcess says, never with noProcess, and its pages are replaceable (125)', async () => {
    const page = (text: string) => () => html`<!doctype html><title>${text}</title>`
    const asked = { run: walk, runProcess: ({ request }: { readonly request: Request }) => new URL(request.url).searchParams.has('go') }
    const app = await appWith({
      '/asked': { ...asked, initialPage: page('<first>'), processingPage: ({ parts, processId }) => html`${processId} ${parts.progress}` },
      '/never': { ...asked, noProcess: true, initialPage: page('never') },
    })

    const shown = await app.ask('/asked', { method: 'POST' })
    const started = await app.ask('/asked?go', { user: 'ada' })
    const never = await app.ask('/never?go')

    expect(await shown.text()).to.include('&lt;first&gt;')
    expect(started.status).to.equal(303)
    expect(await (await app.ask(started.headers.get('location') ?? '', { user: 'ada' })).text()).to.match(/^[0-9a-f-]{36} <div class="indicator"/)
    expect(await never.text()).to.include('<title>never</title>')
  })

  it('shows the processing page while the task runs, leads to the result when it is done, and says when it failed (126)', async () => {
    const app = await appWith({ '/walk': { run: walk }, '/fails': { run: fails } })
    await app.worker()
    const id = await app.begin('/walk', { form: { steps: '1' } })
    await app.stands('/walk', id, ({ progress }) => progress === 50)

    const running = await app.ask(`/walk/processing?process_id=${id}`, { user: 'ada' })
    app.open('step-1')
    await app.ended('/walk', id)
    const done = await app.ask(`/walk/processing?process_id=${id}`, { user: 'ada' })
    const failing = await app.begin('/fails')
    await app.ended('/fails', failing)
    const failed = await app.ask(`/fails/processing?process_id=${failing}`, { user: 'ada' })

    expect(running.status).to.equal(200)
    const page = await running.text()
    expect(page).to.include('<progress max="100" value="50"').and.include('step 1 &lt;of&gt; 1').and.include('<title>50% · Working on it</title>')
    expect(done.status).to.equal(303)
    expect(done.headers.get('location')).to.equal(`/walk/result?process_id=${id}`)
    expect(failed.status).to.equal(500)
    expect(await failed.text()).to.include('That did not work').and.not.include('swordfish')
  })

  it('answers "completed" as JSON and as the bare value, for what runs, is done, has failed and is not known (127)', async () => {
    const app = await appWith({ '/walk': { run: walk }, '/fails': { run: fails } })
    await app.worker()
    const id = await app.begin('/walk', { form: { steps: '1' } })
    const bare = async (view: string, of: string): Promise<readonly [number, string]> => {
      const response = await app.ask(`${view}/completed?process_id=${of}`, { user: 'ada' })
      return [response.status, await response.text()]
    }
    await app.stands('/walk', id, ({ progress }) => progress === 50)

    expect(await app.standing('/walk', id)).to.include({ progress: 50, progress_message: '50% completed', completed: false, message: 'step 1 <of> 1' })
    expect(await bare('/walk', id)).to.deep.equal([200, '50'])
    app.open('step-1')
    expect(await app.ended('/walk', id)).to.include({ progress: 100, progress_message: 'Done', completed: true, state: 'completed' })
    expect(await bare('/walk', id)).to.deep.equal([200, '100'])

    const failing = await app.begin('/fails')
    expect(await app.ended('/fails', failing)).to.include({ progress: 'ERROR', completed: 'ERROR', state: 'failed' })
    expect(await bare('/fails', failing)).to.deep.equal([500, 'ERROR'])

    const unknown = await app.ask(`/walk/completed?process_id=${UNKNOWN_ID}&output_json=1`, { user: 'ada' })
    expect([unknown.status, await unknown.json()]).to.deep.equal([
      404,
      { process_id: UNKNOWN_ID, state: 'unknown', progress: 'ERROR', progress_message: 'Nothing to see here', completed: 'ERROR' },
    ])
    expect(await bare('/walk', UNKNOWN_ID)).to.deep.equal([404, 'ERROR'])
  })

  it('takes a progress of 100 for no completion (127)', async () => {
    const app = await appWith({ '/eager': { run: eager } })
    await app.worker()
    const id = await app.begin('/eager')
    await app.stands('/eager', id, ({ progress }) => progress === 100)

    const processing = await app.ask(`/eager/processing?process_id=${id}`, { user: 'ada' })

    expect(await app.standing('/eager', id)).to.include({ progress: 100, completed: false })
    expect(processing.status).to.equal(200)
  })

  it('replays status, headers, cookies and body of the result, as often as it is asked for (128)', async () => {
    const app = await appWith({ '/respond': { run: respond } })
    await app.worker()
    const id = await app.begin('/respond', { form: { name: 'Ada' } })
    await app.ended('/respond', id)

    for (const time of ['once', 'again']) {
      const result = await app.ask(`/respond/result?process_id=${id}`, { user: 'ada' })
      expect(result.status, time).to.equal(201)
      expect(result.headers.get('content-type'), time).to.equal('text/csv; charset=utf-8')
      expect(result.headers.get('x-made-by'), time).to.equal('Ada')
      expect(result.headers.getSetCookie(), time).to.deep.equal(['seen=yes%3B%20really; Path=/; SameSite=Lax; HttpOnly'])
      expect(await result.text(), time).to.equal('name\nAda\n')
    }
  })

  it('answers a result that is not there yet with 202, by the processing page or by nothing, and a failure as such (128)', async () => {
    const app = await appWith({ '/walk': { run: walk }, '/empty': { run: walk, unfinished: 'empty' }, '/fails': { run: fails } })
    const id = await app.begin('/walk')
    const resultOf = (view: string, accept: string): Promise<Response> => app.ask(`${view}/result?process_id=${id}`, { user: 'ada', accept })

    const page = await resultOf('/walk', 'text/html')
    const empty = await resultOf('/empty', 'text/html')
    const json = await resultOf('/walk', 'application/json')

    expect([page.status, page.headers.get('retry-after')]).to.deep.equal([202, '5'])
    expect(await page.text()).to.include('<progress max="100" aria-label="Progress"></progress>')
    expect([empty.status, await empty.text()]).to.deep.equal([202, ''])
    expect([json.status, await json.json()]).to.deep.equal([
      202,
      { process_id: id, state: 'queued', progress: false, progress_message: 'Waiting for its turn', completed: false },
    ])

    await app.worker()
    const failing = await app.begin('/fails')
    await app.ended('/fails', failing)
    const failed = await app.ask(`/fails/result?process_id=${failing}`, { user: 'ada', accept: 'application/json' })
    expect(failed.status).to.equal(500)
    expect(await failed.text()).to.include('"title":"That did not work"').and.not.include('swordfish')
  })

  it('says that it is done where the task answered nothing (128)', async () => {
    const app = await appWith({ '/silent': { run: silent } })
    await app.worker()
    const id = await app.begin('/silent')
    await app.ended('/silent', id)

    const result = await app.ask(`/silent/result?process_id=${id}`, { user: 'ada' })

    expect(result.status).to.equal(200)
    expect(await result.text()).to.include('<h1 tabindex="-1" autofocus>Done</h1>')
  })

  it('speaks the language of the request, or of the context, and those that the application adds (131)', async () => {
    const app = await appWith({
      '/walk': { run: walk, texts: { es: { initialTitle: 'Listo' }, 'de-AT': { start: 'Gemma' }, he: { start: 'התחל' } } },
      '/fixed': { run: walk, locale: () => 'fr-CA' },
    })
    const languageFor = async (acceptLanguage: string, view = '/walk') => {
      const page = await app.ask(view, { headers: { 'accept-language': acceptLanguage } })
      const text = await page.text()
      expect(text).to.include(`<html lang="${page.headers.get('content-language')}"`)
      expect(page.headers.get('vary')).to.equal('Accept, Accept-Language, Cookie')
      return { language: page.headers.get('content-language'), heading: /<h1[^>]*>([^<]+)/.exec(text)?.[1], button: /<button[^>]*>([^<]+)/.exec(text)?.[1] }
    }

    expect(await languageFor('de')).to.deep.equal({ language: 'de', heading: 'Bereit', button: 'Starten' })
    expect(await languageFor('xx, it;q=0.3, fr;q=0.8')).to.deep.equal({ language: 'fr', heading: 'Tout est prêt', button: 'Démarrer' })
    expect(await languageFor('it-CH')).to.deep.equal({ language: 'it', heading: 'Tutto pronto', button: 'Avvia' })
    expect(await languageFor('en;q=0, es')).to.deep.equal({ language: 'es', heading: 'Listo', button: 'Start' })
    expect(await languageFor('de-AT')).to.deep.equal({ language: 'de-at', heading: 'Bereit', button: 'Gemma' })
    expect((await languageFor('he')).button).to.equal('התחל')
    expect(await (await app.ask('/walk', { headers: { 'accept-language': 'he' } })).text()).to.include('<html lang="he" dir="rtl">')
    expect((await languageFor('de', '/fixed')).language).to.equal('fr')
    const id = await app.begin('/walk')
    expect((await app.standing('/walk', id, { headers: { 'accept-language': 'de' } })).progress_message).to.equal('Wartet, bis es an der Reihe ist')
  })

  it('answers a start that wants JSON with the id instead of a redirect (132)', async () => {
    const app = await appWith({ '/walk': { run: walk } })

    const start = await app.ask('/walk', { method: 'POST', user: 'ada', accept: 'text/plain;q=0.1, application/json' })

    expect(start.status).to.equal(202)
    expect(start.headers.get('content-type')).to.match(/^application\/json/)
    const body = (await start.json()) as { readonly process_id: string }
    expect(Object.keys(body)).to.deep.equal(['process_id'])
    expect(start.headers.get('location')).to.equal(`/walk/processing?process_id=${body.process_id}`)
  })

  it('runs as the person who started it, with the same request (134)', async () => {
    const app = await appWith({ '/mirror': { run: mirror } })
    await app.worker()
    const headers = { 'accept-language': 'it', 'content-type': 'application/json' }
    const sent = { year: 2026, lines: [{ of: '<b>' }] }

    const byJson = await app.begin('/mirror?from=menu', { headers, body: JSON.stringify(sent) })
    const byForm = await app.begin('/mirror', { body: new URLSearchParams([['a', '1'], ['b', '2'], ['b', '3']]) })
    const resultOf = async (id: string): Promise<unknown> => {
      await app.ended('/mirror', id)
      return (await app.ask(`/mirror/result?process_id=${id}`, { user: 'ada' })).json()
    }

    const url = `${app.origin}/mirror?from=menu`
    expect(await resultOf(byJson)).to.deep.equal({ request: { method: 'POST', url, form: {}, body: sent }, user: 'ada', url, language: 'it' })
    expect(await resultOf(byForm)).to.deep.include({ request: { method: 'POST', url: `${app.origin}/mirror`, form: { a: '1', b: ['2', '3'] } }, user: 'ada' })
  })

  it('calls the task with what input says, and sends a response of it instead of a start', async () => {
    const input = async ({ request }: { readonly request: Request }) => {
      const year = Number((await request.formData()).get('year'))
      return year > 2000 ? [year] : new Response('Which year?', { status: 422 })
    }
    const app = await appWith({ '/yearly': { run: 'yearly', service: reports, input } })
    await app.worker()

    const refused = await app.ask('/yearly', { method: 'POST', user: 'ada', body: new URLSearchParams({ year: '7' }) })
    const id = await app.begin('/yearly', { form: { year: '2026' } })
    await app.ended('/yearly', id)

    expect([refused.status, await refused.text()]).to.deep.equal([422, 'Which year?'])
    expect(await (await app.ask(`/yearly/result?process_id=${id}`, { user: 'ada' })).json()).to.deep.equal({ year: 2026 })
  })

  it('refuses what is not a task that keeps its result', () => {
    const refusal = (view: unknown): string => {
      try {
        waitingPageHandler(view as WaitingPageView)
      } catch (error) {
        if (error instanceof ErrandError) return `${error.code} ${error.message}`
        throw error
      }
      return 'taken'
    }

    expect(refusal({ run: async () => 1 })).to.match(/^NOT_A_TASK waitingPage\(\) got something as "run" that is not a task/)
    expect(refusal({ run: plainTask })).to.match(/^OPTION_INVALID .*"page\.plainTask".*\{ result: true \}/)
    expect(refusal({ run: untracked })).to.match(/^OPTION_INVALID .*"page\.untracked".*"track"/)
    expect(refusal({ run: reports.yearly })).to.match(/^OPTION_INVALID .*"yearly".*"service"/)
    expect(refusal({ run: reports.yearly, service: reports })).to.equal('taken')
    expect(refusal({ run: walk, initialpage: () => '' })).to.match(/^OPTION_INVALID .*Did you mean "initialPage"\?/)
    expect(refusal({ run: walk, texts: 3, isAdmin: true })).to.match(/^OPTION_INVALID .*function as "isAdmin"/)
  })

  it('leaves paths that are not its own to others, and refuses other methods', async () => {
    const app = await appWith({ '/walk': { run: walk } })

    expect(await (await app.ask('/walk/elsewhere')).text()).to.equal('nobody answers here')
    const put = await app.ask('/walk/processing', { method: 'PUT' })
    expect([put.status, put.headers.get('allow')]).to.deep.equal([405, 'GET, HEAD'])
    expect((await app.ask('/walk/', { method: 'HEAD' })).status).to.equal(200)
  })
})
