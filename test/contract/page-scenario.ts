import { expect } from 'chai'
import { report } from '../fixtures/reports/tasks.js'
import { Scope } from '../kit/temporary.js'
import { until } from '../kit/until.js'
import type { Serve } from './http-app.js'
import { HttpClient } from './http-client.js'
import { Person, type ReportsApp } from './http-person.js'

/** What people do with a waiting page and a real worker, which the adapter of every framework must pass. */
export function pageScenario(name: string, serve: Serve, app: ReportsApp): void {
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
