import { expect } from 'chai'
import { fileURLToPath } from 'node:url'
import { start, type ConfigInput } from 'errand'
import { silentLogger } from '#src/core/logger.js'
import { writeFileSync } from 'node:fs'
import { report } from '../fixtures/reports/tasks.js'
import { startProgram } from '../kit/process.js'
import { Scope } from '../kit/temporary.js'
import { until } from '../kit/until.js'
import type { Serve } from './http-app.js'
import { HttpClient, type Answer, type Sent } from './http-client.js'

const OWN_WORKER = new URL('../fixtures/worker-app/own-worker.js', import.meta.url)
const TASKS = fileURLToPath(new URL('../fixtures/reports/tasks.js', import.meta.url))

/** The queue, and one worker in a process of its own, that the applications of all frameworks share. */
export class ReportsApp {
  readonly #scope = new Scope()

  async open(): Promise<void> {
    const settings: ConfigInput = {
      withAsync: true,
      service: 'reports',
      environment: 'test',
      dataDir: this.#scope.file('data'),
      services: TASKS,
      worker: { spawn: false, concurrency: 8, grace: '1s' },
    }
    const running = await start({ ...settings, logger: silentLogger })
    this.#scope.defer(() => running.stop())
    const options = { args: [JSON.stringify(settings)], env: { REPORTS_FOLDER: this.#scope.folder() } }
    await startProgram(this.#scope, OWN_WORKER, options).line(/^consuming/)
  }

  /** Lets the tasks go on that wait for it. */
  openGate(gate: string): void {
    writeFileSync(this.#scope.file(gate), '')
  }

  close(): Promise<void> {
    return this.#scope.close()
  }
}

/** What a person does with a browser or with curl, in one framework. */
export class Person {
  readonly #client: HttpClient
  readonly #name: string

  constructor(port: number, name: string) {
    this.#client = new HttpClient(port)
    this.#name = name
  }

  ask(path: string, sent: Sent = {}): Promise<Answer> {
    return this.#client.send(path, this.#signed(sent))
  }

  json(path: string, sent: Sent = {}): Promise<Readonly<Record<string, unknown>>> {
    return this.#client.json(path, this.#signed({ ...sent, headers: { accept: 'application/json', ...sent.headers } }))
  }

  submit(path: string, form: Readonly<Record<string, string>>): Promise<Answer> {
    const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html' }
    return this.ask(path, { method: 'POST', headers, body: new URLSearchParams(form).toString() })
  }

  /** The text of an event stream as far as `pattern`; hangs up then. */
  async eventsUntil(path: string, pattern: RegExp): Promise<string> {
    const response = await this.#client.open(path, this.#signed({ headers: { accept: 'text/event-stream' } }))
    let text = ''
    for await (const chunk of response) {
      text += String(chunk)
      if (pattern.test(text)) return text
    }
    throw new Error(`The events ended without ${pattern}: ${text}`)
  }

  #signed(sent: Sent): Sent {
    return { ...sent, headers: { 'x-test-user': this.#name, ...sent.headers } }
  }
}

/** One scenario with a real worker that the adapter of every framework must pass. */
export function httpScenario(name: string, serve: Serve, app: ReportsApp): void {
  describe(`a waiting page in ${name}`, () => {
    const scope = new Scope()
    let port = 0
    before(async () => {
      const served = await serve({ mounts: { '/report': { page: { run: report } } }, parses: true, own: {}, onError: () => {} })
      scope.defer(served.close)
      port = served.port
    })
    after(() => scope.close())

    it('leads from the first page by the progress to the result, for whoever started it and nobody else', async () => {
      const [ada, bob] = ['ada', 'bob'].map((person) => new Person(port, person)) as [Person, Person]
      const gate = `page in ${name}`

      const first = await ada.ask('/report', { headers: { accept: 'text/html' } })
      expect(first).to.include({ status: 200 }).and.to.have.property('text').that.includes('<form method="post" action="/report">')

      const begun = await ada.submit('/report', { gate, year: '2026' })
      const { location = '' } = begun.headers
      expect(begun.status).to.equal(303)
      expect(location).to.match(/^\/report\/processing\?process_id=[0-9a-f-]{36}$/)

      const halfWay = await until('the half', async () => {
        const seen = await ada.json(location)
        return seen['message'] === 'half way' && seen
      })
      expect(halfWay).to.include({ completed: false, progress: 50 })
      expect(await ada.ask(location, { headers: { accept: 'text/html' } })).to.include({ status: 200 }).and.to.have.property('text').that.includes('half way')
      expect(await ada.eventsUntil(location, /half way/)).to.include('data:')
      expect((await bob.ask(location)).status).to.equal(404)

      app.openGate(gate)
      await ada.eventsUntil(location, /"completed":true/)
      const ended = await ada.ask(location, { headers: { accept: 'text/html' } })
      expect(ended.status).to.equal(303)
      const result = await ada.ask(ended.headers.location ?? '')
      expect(result.text).to.equal('<!doctype html><title>Report 2026 for ada</title>')
      expect(result.headers['set-cookie']?.join()).to.include('year=2026')
      expect((await bob.ask(ended.headers.location ?? '')).status).to.equal(404)
    })

    it('shows the process of a person without a name to that browser alone, and can be cancelled', async () => {
      const client = new HttpClient(port)
      const form = { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'gate=never' }

      const begun = await client.send('/report', form)
      const cookie = begun.headers['set-cookie']?.find((text) => !text.startsWith('session='))?.split(';', 1)[0] ?? ''
      const { location = '' } = begun.headers
      const cancel = location.replace('processing', 'cancel')

      expect((await client.send(location)).status).to.equal(404)
      expect((await client.send(location, { headers: { cookie } })).status).to.equal(200)
      const cancelled = await client.send('/report/cancel', { ...form, headers: { ...form.headers, cookie }, body: `process_id=${cancel.split('=')[1]}` })
      expect(cancelled.status).to.be.oneOf([200, 303])
      await until('the end', async () => {
        const { text } = await client.send(location, { headers: { cookie, accept: 'application/json' } })
        return text.includes('cancelled')
      })
    })
  })
}
