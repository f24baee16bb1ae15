import { expect } from 'chai'
import { Scope } from '../kit/temporary.js'
import { until } from '../kit/until.js'
import type { Serve } from './http-app.js'
import type { Answer } from './http-client.js'
import { Person, type ReportsApp } from './http-person.js'

const UUID_PATH = /^\/async\/orders\/[0-9a-f-]{36}$/

const membersOf = ({ text }: Answer): Readonly<Record<string, unknown>> => JSON.parse(text) as Readonly<Record<string, unknown>>

/** What people do with orders and a real worker, which the adapter of every framework must pass. */
export function ordersScenario(name: string, serve: Serve, app: ReportsApp): void {
  describe(`orders in ${name} (item 123)`, () => {
    const scope = new Scope()
    let port = 0
    let gates = 0
    const newGate = (): string => `orders in ${name} ${++gates}`
    /** A person of this framework alone: all of them share one queue. */
    const person = (who: string): Person => new Person(port, `${who} of ${name}`)

    before(async () => {
      const served = await serve({ mounts: { '/async': { orders: {} } }, parses: true, own: { '/async/orders.html': 'own' }, onError: () => {} })
      scope.defer(served.close)
      port = served.port
    })
    after(() => scope.close())

    it('an order leads by 302 to 202 while it is carried out, and then to 201 with its resource, for its owner and nobody else', async () => {
      const [ada, bob, gate] = [person('ada'), person('bob'), newGate()]

      const placed = await ada.order({ year: 2026, gate })
      const { location = '' } = placed.headers
      expect(placed).to.include({ status: 302, text: '' })
      expect(location).to.match(UUID_PATH)

      const running = await until('the half', async () => {
        const answer = await ada.ask(`${location}/`)
        return membersOf(answer)['message'] === 'Adding up' && membersOf(answer)['progress'] === 50 && answer
      })
      expect(running).to.include({ status: 202 }).and.to.have.nested.property('headers.retry-after', '1')
      expect(membersOf(running)).to.include({ status: 'running', resource_url: '' })
      expect((await bob.ask(location)).status).to.equal(404)
      expect((await bob.ask(location, { method: 'DELETE' })).status).to.equal(404)

      app.openGate(gate)
      const ended = await ada.ask(location, { headers: { prefer: 'wait=20' } })
      expect(ended.status).to.equal(201)
      expect(membersOf(ended)).to.include({ status: 'completed', progress: 100, message: `Made for ada of ${name}` })
      expect(membersOf(ended)['resource_url']).to.equal(`http://127.0.0.1:${port}/reports/2026.pdf`)
      expect(await ada.ask(location, { headers: { 'if-none-match': String(ended.headers.etag) } })).to.include({ status: 304, text: '' })
      expect(await ada.ask(location, { method: 'HEAD' })).to.include({ status: 201, text: '' })
    })

    it('an order is cancelled by DELETE, and one that something be removed is placed by it', async () => {
      const ada = person('ada')

      const { headers } = await ada.order({ year: 2026, gate: newGate() })
      const cancelled = await ada.ask(headers.location ?? '', { method: 'DELETE' })
      const removal = await ada.ask('/async/report/order/', { method: 'DELETE' })

      expect(cancelled.status).to.equal(200)
      expect(membersOf(cancelled)['status']).to.equal('cancelled')
      expect((await ada.ask(removal.headers.location ?? '', { headers: { prefer: 'wait=20' } })).status).to.equal(200)
    })

    it('the list holds the orders of whoever asks', async () => {
      const [cyd, dan] = [person('cyd'), person('dan')]
      const { headers } = await cyd.order({ year: 2025 })

      const { orders } = (await cyd.json('/async/orders?limit=5')) as { orders: readonly { readonly uuid: string }[] }

      expect(orders.map(({ uuid }) => `/async/orders/${uuid}`)).to.deep.equal([headers.location])
      expect(await dan.json('/async/orders')).to.deep.equal({ orders: [], next: null })
    })

    it('Idempotency-Key and Prefer are understood', async () => {
      const eve = person('eve')
      const key = { 'idempotency-key': '"once"' }

      const [first, second] = [await eve.order({ year: 2024 }, key), await eve.order({ year: 2024 }, key)]
      const other = await eve.order({ year: 2023 }, key)
      const later = await eve.order({ year: 2024, gate: newGate() }, { prefer: 'respond-async' })
      const waited = await eve.order({ year: 2024 }, { prefer: 'wait=20' })

      expect(first.headers.location).to.match(UUID_PATH).and.to.equal(second.headers.location)
      expect(other.status).to.equal(422)
      expect(later).to.include({ status: 202 }).and.to.have.nested.property('headers.location').that.matches(UUID_PATH)
      expect(waited.status).to.equal(200)
      expect(membersOf(waited)).to.include({ status: 'completed' })
    })

    it('nobody in particular follows an order by the address that only the placement answers', async () => {
      const nobody = new Person(port)

      const { headers } = await nobody.order({ year: 2026 })
      const { location = '' } = headers

      expect(location).to.include('?token=')
      expect((await nobody.ask(location, { headers: { prefer: 'wait=20' } })).status).to.equal(201)
      expect((await nobody.ask(location.replace(/\?.*/, ''))).status).to.equal(404)
    })

    it('what cannot be placed is refused with the reason, and what is no address of orders is left to the application', async () => {
      const ada = person('ada')

      const unknown = await ada.ask('/async/reprot/order', { method: 'POST' })
      const bad = await ada.ask('/async/report/order', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"context":[]}' })
      const large = await ada.order({ year: 2026, note: 'x'.repeat(70_000) })

      expect(unknown.status).to.equal(404)
      expect(unknown.headers['content-type']).to.equal('application/problem+json')
      expect(bad.status).to.equal(400)
      expect(membersOf(bad)).to.have.property('context')
      expect(large.status).to.be.within(400, 499)
      expect(await ada.ask('/async/orders.html')).to.include({ status: 200, text: 'own' })
      expect((await ada.json('/async/openapi.json'))['openapi']).to.equal('3.1.0')
    })
  })
}
