import { expect } from 'chai'
import { waitingPageHandler, type Standing } from 'errand/page'
import { tasks, withContext } from 'errand'
import { appState } from '#src/runtime/app.js'
import { freePort } from '../kit/free-port.js'
import { eachScope } from '../kit/temporary.js'
import { endWithTest } from '../kit/process.js'
import { PageApp } from '../kit/page-app.js'
import { until } from '../kit/until.js'
import { once, smuggle, walk } from '../fixtures/page/tasks.js'

/** Reads server-sent events as they come. */
async function* eventsOf(response: Response): AsyncGenerator<{ readonly id: string | undefined; readonly standing: Standing }> {
  let rest = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) {
    rest += decoder.decode(chunk, { stream: true })
    const blocks = rest.split('\n\n')
    rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const data = /^data: (.*)$/m.exec(block)?.[1]
      // the documented form
      if (data !== undefined) yield { id: /^id: (.*)$/m.exec(block)?.[1], standing: JSON.parse(data) as Standing }
    }
  }
}

/** Counts who watches tasks in this process. */
function watchesOfStore(): { open: number; opened: number } {
  const counts = { open: 0, opened: 0 }
  const state = appState()
  if (state.kind !== 'on' || state.runtime.tracking === undefined) throw new Error('The server is not started')
  const { store } = state.runtime.tracking
  const watch = store.watch.bind(store)
  store.watch = async (ids, onChange) => {
    const { stop } = await watch(ids, onChange)
    counts.open++
    counts.opened++
    return {
      stop: async () => {
        counts.open--
        await stop()
      },
    }
  }
  return counts
}

describe('A waiting page that is open', function () {
  this.timeout(120_000)
  const scope = eachScope()

  it('is told of progress as it happens, and of the end, by server-sent events', async () => {
    const app = new PageApp(scope())
    await app.start({ '/walk': { run: walk } })
    await app.worker()
    const id = await app.begin('/walk', { form: { steps: '3' } })
    const response = await app.ask(`/walk/events?process_id=${id}`, { user: 'ada', headers: { 'last-event-id': '99; drop table' } })

    const seen: Standing[] = []
    for await (const { standing } of eventsOf(response)) {
      seen.push(standing)
      for (let step = 1; step <= 3; step++) if (standing.progress === step * 25) app.open(`step-${step}`)
    }

    expect(response.headers.get('content-type')).to.equal('text/event-stream; charset=utf-8')
    expect(response.headers.get('cache-control')).to.equal('no-store, no-transform')
    expect(seen.map(({ progress }) => progress)).to.include.members([25, 50, 75])
    expect(seen.at(-1)).to.include({ process_id: id, completed: true, state: 'completed' })
    expect(seen.some(({ message }) => message === 'step 2 <of> 3')).to.equal(true)
  })

  it('gets the same events from the address of the page by Accept, and begins with how it stands after a connection was lost', async () => {
    const app = new PageApp(scope())
    await app.start({ '/walk': { run: walk } })
    await app.worker()
    const id = await app.begin('/walk', { form: { steps: '1' } })
    await app.stands('/walk', id, ({ progress }) => progress === 50)

    for (const time of [1, 2]) {
      const response = await app.ask(`/walk/processing?process_id=${id}`, { user: 'ada', accept: 'text/event-stream' })
      for await (const { standing } of eventsOf(response)) {
        expect(standing, `connection ${time}`).to.include({ progress: 50, completed: false })
        break
      }
    }
  })

  it('says at once how often to try again', async () => {
    const app = new PageApp(scope())
    await app.start({ '/walk': { run: walk } })
    const id = await app.begin('/walk')

    const response = await app.ask(`/walk/events?process_id=${id}`, { user: 'ada' })
    for await (const chunk of response.body ?? []) {
      expect(new TextDecoder().decode(chunk)).to.match(/^retry: 3000\n\n/)
      break
    }
  })

  it('is let go of when the browser goes away, however it does', async () => {
    const app = new PageApp(scope())
    await app.start({ '/walk': { run: walk } })
    const id = await app.begin('/walk')
    const watches = watchesOfStore()
    const handler = waitingPageHandler({ run: walk })
    const open = async (signal: AbortSignal): Promise<Response | undefined> => {
      const request = new Request(`${app.origin}/walk/events?process_id=${id}`, { signal })
      return withContext({ user: { id: 'ada' } }, () => handler({ request, mount: '/walk', path: '/events' }))
    }

    const gone = new AbortController()
    await open(gone.signal)
    const left = await open(new AbortController().signal)
    await until('two watches', () => watches.open === 2)
    gone.abort()
    await until('one of them to end', () => watches.open === 1)
    await left?.body?.cancel()
    await until('the other to end', () => watches.open === 0)
    await open(AbortSignal.abort())
    await until('one that came too late to end', () => watches.opened === 3 && watches.open === 0)
  })

  it('goes on where a worker is killed: the next one runs the task again', async () => {
    const app = new PageApp(scope())
    await app.start({ '/walk': { run: walk } })
    const first = await app.worker()
    const id = await app.begin('/walk', { form: { steps: '1' } })
    await app.stands('/walk', id, ({ progress }) => progress === 50)
    const response = await app.ask(`/walk/events?process_id=${id}`, { user: 'ada' })

    first.kill('SIGKILL')
    await first.exited
    const second = await app.worker()
    endWithTest(scope(), [second.pid])
    app.open('step-1')
    let last: Standing | undefined
    for await (const { standing } of eventsOf(response)) last = standing

    expect(last).to.include({ completed: true })
    expect((await tasks.get(id).status()).attempts.length).to.be.greaterThan(1)
  })

  it('is found again by its address after the server was started anew', async () => {
    const app = new PageApp(scope())
    // a port of any number may be taken as soon as it is left
    const port = await freePort()
    const running = await app.start({ '/walk': { run: walk } }, port)
    const begun = await app.ask('/walk', { method: 'POST' })
    const cookie = begun.headers.getSetCookie()[0]?.split(';', 1)[0] ?? ''
    const page = begun.headers.get('location') ?? ''
    await app.served.close()
    await running.stop()

    await app.start({ '/walk': { run: walk } }, port)

    expect((await app.ask(page, { cookie })).status).to.equal(200)
  })

  it('cancels what it started, and says so with 410', async () => {
    const app = new PageApp(scope())
    await app.start({ '/walk': { run: walk }, '/fixed': { run: walk, cancellable: false } })
    const id = await app.begin('/walk')
    const form = { method: 'POST', user: 'ada', body: new URLSearchParams({ process_id: id }) }

    const page = await (await app.ask(`/walk/processing?process_id=${id}`, { user: 'ada' })).text()
    const foreign = await app.ask('/walk/cancel', { ...form, headers: { 'sec-fetch-site': 'cross-site' } })
    const fixed = await app.ask('/fixed/cancel', form)
    const cancelled = await app.ask('/walk/cancel', form)
    const after = await app.ask(cancelled.headers.get('location') ?? '', { user: 'ada' })

    expect(page).to.include(`<input type="hidden" name="process_id" value="${id}">`)
    expect([foreign.status, fixed.status, cancelled.status, after.status]).to.deep.equal([403, 404, 303, 410])
    expect(await after.text()).to.include('Cancelled').and.include('href="/walk"')
    expect((await app.ask(`/walk/result?process_id=${id}`, { user: 'ada' })).status).to.equal(410)
  })

  it('starts nothing for a page of another site', async () => {
    const app = new PageApp(scope())
    await app.start({ '/walk': { run: walk } })
    for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }, { origin: 'https://evil.example' }]) {
      const refused = await app.ask('/walk', { method: 'POST', user: 'ada', headers })
      expect(refused.status).to.equal(403)
      expect(await refused.text()).to.include('Not started')
    }

    expect((await tasks.search()).tasks).to.deep.equal([])
  })

  it('starts work with a key once for a person, and anew for another', async () => {
    const app = new PageApp(scope())
    await app.start({ '/walk': { run: walk, key: ({ request }) => new URL(request.url).pathname } })

    const [first, second, other] = [await app.begin('/walk'), await app.begin('/walk'), await app.begin('/walk', { user: 'bob' })]

    expect(second).to.equal(first)
    expect(other).not.to.equal(first)
    expect((await app.standing('/walk', other, { user: 'bob' })).state).to.equal('queued')
  })

  it('reads a result once where the task says so, and neither a look at its head nor a prefetch takes it', async () => {
    const app = new PageApp(scope())
    await app.start({ '/once': { run: once } })
    await app.worker()
    const id = await app.begin('/once')
    await app.ended('/once', id)
    const read = (options: { readonly method?: string; readonly headers?: Record<string, string> } = {}): Promise<Response> =>
      app.ask(`/once/result?process_id=${id}`, { user: 'ada', ...options })

    expect((await read({ method: 'HEAD' })).status).to.equal(200)
    expect((await read({ headers: { 'sec-purpose': 'prefetch' } })).status).to.equal(503)
    expect(await (await read()).text()).to.equal('for one pair of eyes')
    expect((await read()).status).to.equal(404)
  })

  it('sends no header of a task that splits the response or speaks for the server in front', async () => {
    const app = new PageApp(scope())
    await app.start({ '/smuggle': { run: smuggle } })
    await app.worker()
    for (const [header, value] of Object.entries({ 'x-accel-redirect': '/etc/passwd', 'x-a': 'b\r\nset-cookie: c=d' })) {
      const id = await app.begin('/smuggle', { form: { header, value } })
      await app.ended('/smuggle', id)

      const result = await app.ask(`/smuggle/result?process_id=${id}`, { user: 'ada' })

      expect([result.status, result.headers.get(header), result.headers.getSetCookie()]).to.deep.equal([500, null, []])
      expect(await result.text()).to.include('The result is not available')
    }
  })

  it('has a policy under which only its own script and style run, and is kept by nobody', async () => {
    const app = new PageApp(scope())
    await app.start({ '/walk': { run: walk } })
    const id = await app.begin('/walk')
    const [one, two] = [await app.ask(`/walk/processing?process_id=${id}`, { user: 'ada' }), await app.ask(`/walk/processing?process_id=${id}`, { user: 'ada' })]

    const policy = one.headers.get('content-security-policy') ?? ''
    const nonce = /'nonce-([^']+)'/.exec(policy)?.[1] ?? 'none'
    const page = await one.text()
    expect(policy).to.equal(
      `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; img-src data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
    )
    expect(two.headers.get('content-security-policy')).not.to.equal(policy)
    for (const tag of page.match(/<(?:script|style)\b[^>]*>/g) ?? []) expect(tag).to.include(`nonce="${nonce}"`)
    expect(page).not.to.match(/\son\w+=|style="|javascript:/)
    expect([one.headers.get('cache-control'), one.headers.get('x-content-type-options'), one.headers.get('referrer-policy')]).to.deep.equal(['no-store', 'nosniff', 'no-referrer'])
  })

  it('shows hostile ids and languages as what they are: unknown', async () => {
    const app = new PageApp(scope())
    await app.start({ '/walk': { run: walk } })
    for (const hostile of ['"><script>alert(1)</script>', '../../etc/passwd', '%00', 'a'.repeat(5000), '\r\nset-cookie: a=b']) {
      const page = await app.ask(`/walk/processing?process_id=${encodeURIComponent(hostile)}`, { user: 'ada', headers: { 'accept-language': '"><script>' } })
      expect(page.status).to.equal(404)
      expect(await page.text()).not.to.include('<script>')
    }
    expect((await app.ask('/walk/processing', { user: 'ada' })).status).to.equal(404)
  })

  it('asks every five seconds where events do not come, fifteen at most for an answer, a bounded number of times (130)', async () => {
    const app = new PageApp(scope())
    await app.start({ '/walk': { run: walk } })
    const id = await app.begin('/walk')

    const page = await (await app.ask(`/walk/processing?process_id=${id}`, { user: 'ada' })).text()
    const script = await app.ask('/walk/errand.js')
    const text = await script.text()

    expect(page).to.include(`<noscript><meta http-equiv="refresh" content="5;url=/walk/processing?process_id=${id}"></noscript>`)
    expect(script.headers.get('content-type')).to.equal('text/javascript; charset=utf-8')
    expect(text).to.include('POLL_MS = 5000').and.include('TIMEOUT_MS = 15000').and.include('MOST_POLLS = 720')
  })

  it('takes no body that does not fit into a message, or is not what it says, and starts nothing then', async () => {
    const app = new PageApp(scope(), { payloadLimit: 20_000 })
    await app.start({ '/walk': { run: walk } })
    const large = new URLSearchParams({ text: 'x'.repeat(1024 * 1024) })
    const json = { 'content-type': 'application/json' }

    expect((await app.ask('/walk', { method: 'POST', user: 'ada', body: large })).status).to.equal(413)
    expect((await app.ask('/walk', { method: 'POST', user: 'ada', headers: json, body: JSON.stringify('x'.repeat(30_000)) })).status).to.equal(413)
    expect((await app.ask('/walk', { method: 'POST', user: 'ada', headers: json, body: '{' })).status).to.equal(400)
    expect((await tasks.search()).tasks).to.deep.equal([])
  })

  it('runs no script of a result that says nothing of that itself', async () => {
    const app = new PageApp(scope())
    await app.start({ '/once': { run: once } })
    await app.worker()
    const id = await app.begin('/once')
    await app.ended('/once', id)

    const { headers } = await app.ask(`/once/result?process_id=${id}`, { user: 'ada' })

    expect(headers.get('content-type')).to.equal('text/html; charset=utf-8')
    expect(headers.get('content-security-policy')).to.match(/^default-src 'none'; style-src 'self' 'unsafe-inline';/).and.not.include('script-src')
    expect([headers.get('cache-control'), headers.get('x-content-type-options')]).to.deep.equal(['no-store', 'nosniff'])
  })
})
