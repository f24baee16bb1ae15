import { expect } from 'chai'
import { asyncTask, orders } from 'errand'
import { membersOf, type Asked } from '../kit/orders-client.js'
import { testOrders, type OrdersTesting } from '../kit/orders-testing.js'
import { eachScope, type Scope } from '../kit/temporary.js'

const got: unknown[] = []
const keeping = asyncTask(async function orderKeeps(_uuid: string, given: unknown): Promise<void> {
  got.push(given)
})

function open(scope: Scope): Promise<OrdersTesting> {
  got.length = 0
  return testOrders(scope, () => {
    orders.register('pie', keeping)
    orders.registerDestroy('pie', keeping)
    orders.registerUpdate('cake', keeping)
  })
}

const text = (body: string | Uint8Array, type?: string): Asked => ({ as: 'ada', body, headers: type === undefined ? {} : { 'content-type': type } })
const json = (body: string): Asked => text(body, 'application/json')

describe('Requests about orders', () => {
  const scope = eachScope()

  it('other methods are refused with those that are allowed, with and without a slash at the end (item 112)', async () => {
    const { client } = await open(scope())
    const place = await client.place('pie')
    const allowed = {
      '/pie/order': 'POST, DELETE',
      '/cake/order/': 'PUT',
      [place]: 'GET, HEAD, DELETE',
      [`${place}/`]: 'GET, HEAD, DELETE',
      '/orders': 'GET, HEAD',
      '/orders/': 'GET, HEAD',
      '/openapi.json': 'GET, HEAD',
    }

    for (const [path, allow] of Object.entries(allowed)) {
      const answer = await client.ask('PATCH', path, { as: 'ada' })
      expect([answer.status, answer.headers.get('allow')], path).to.deep.equal([405, allow])
      expect(answer.headers.get('content-type')).to.equal('application/problem+json')
    }
    expect((await client.ask('GET', '/pie/order', { as: 'ada' })).status).to.equal(405)
    expect((await client.ask('OPTIONS', '/pie/order', { as: 'ada' })).status).to.equal(405)
    for (const path of ['/pie/order', '/pie/order/']) expect((await client.ask('POST', path, { as: 'ada' })).status).to.equal(302)
  })

  it('an unknown name is not found and places nothing, whatever the method (item 113)', async () => {
    const { client, testing } = await open(scope())

    for (const method of ['POST', 'PUT', 'DELETE', 'GET']) expect((await client.ask(method, '/nothing/order/', { as: 'ada' })).status).to.equal(404)
    expect(testing.calls).to.deep.equal([])
  })

  it('an id that cannot be one is not found (item 109)', async () => {
    const { client } = await open(scope())

    for (const id of ['x', '%ff', '%2e%2e', '0', 'ORDER', crypto.randomUUID(), crypto.randomUUID().toUpperCase(), '%00', 'a'.repeat(5_000)]) {
      const answer = await client.ask('GET', `/orders/${id}`, { as: 'ada' })
      expect(answer.status, id.slice(0, 40)).to.equal(404)
      expect(await membersOf(answer)).to.include({ title: 'Not Found', detail: 'There is no such order.' })
    }
  })

  it('what is not about orders is left to the application', async () => {
    const { client } = await open(scope())

    for (const path of ['/', '', '/order', '/pie', '/pie/orders', '/orders/a/b', '/a/pie/order', '/openapi.yaml']) {
      expect(await client.maybeAsk('GET', path), path).to.equal(undefined)
    }
  })

  it('a context that is no object is refused in the words of older systems, and nothing is placed (item 108)', async () => {
    const { client, testing } = await open(scope())

    for (const context of ['null', '1', '"{}"', '[]', 'true', '1e999']) {
      const answer = await client.ask('POST', '/pie/order', json(`{"context": ${context}}`))
      expect(answer.status, context).to.equal(400)
      expect(JSON.stringify((await membersOf(answer))['context'])).to.include('is not a valid JSON')
    }
    expect(testing.calls).to.deep.equal([])
  })

  it('a body that is no JSON object is refused, and nothing is placed', async () => {
    const { client, testing } = await open(scope())

    for (const body of ['{', '[]', '1', 'null', '"x"', '{"context":{}}x', "{'a':1}", '\uFEFF\uFEFF{}']) {
      expect((await client.ask('POST', '/pie/order', json(body))).status, body).to.equal(400)
    }
    expect((await client.ask('POST', '/pie/order', text(Uint8Array.of(0x7b, 0xff, 0x7d), 'application/json'))).status).to.equal(400)
    expect(testing.calls).to.deep.equal([])
  })

  it('a context that would not arrive as it was sent is refused: too deep, numbers without end, a key of no object', async () => {
    const { client, testing } = await open(scope())
    const deep = (levels: number): string => `{"context":{"a":${'['.repeat(levels)}${']'.repeat(levels)}}}`

    for (const body of [deep(70), deep(30_000), '{"context":{"a":1e999}}', '{"context":{"a":{"__proto__":{"isAdmin":true}}}}', '{"context":{},"callback":-1e999}']) {
      expect((await client.ask('POST', '/pie/order', json(body))).status, body.slice(0, 60)).to.equal(400)
    }
    expect(testing.calls).to.deep.equal([])
  })

  it('a context of any characters arrives as it was sent', async () => {
    const { client, testing } = await open(scope())
    const context = { '': '', $: { $: 'date', v: 1 }, 'constructor': 'x', emoji: '😀\u0000\u2028', half: '\ud800', list: [null, false, 0, -0.5, 1e300, { a: [] }] }

    const place = await client.place('pie', { json: { context } })
    await testing.idle()

    expect(got).to.deep.equal([context])
    expect((await membersOf(await client.ask('GET', place, { as: 'ada' })))['context']).to.deep.equal(context)
  })

  it('a body that is too large is refused before it is read to its end', async () => {
    const { client, testing } = await open(scope())
    const large = JSON.stringify({ context: { a: 'x'.repeat(70_000) } })
    const expanding = JSON.stringify({ context: { a: Array.from({ length: 15_000 }, () => 0) } }).replaceAll('0', '1e9')

    expect((await client.ask('POST', '/pie/order', json(large))).status).to.equal(413)
    expect((await client.ask('POST', '/pie/order', { ...json('{}'), headers: { 'content-type': 'application/json', 'content-length': '99999999' } })).status).to.equal(413)
    expect((await client.ask('POST', '/pie/order', json(expanding))).status).to.equal(413)
    expect(testing.calls).to.deep.equal([])
  })

  it('another type than JSON is refused, and a body is never needed', async () => {
    const { client } = await open(scope())

    for (const type of ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data; boundary=x', 'application/jsonp', 'application/json; charset=latin1']) {
      const answer = await client.ask('POST', '/pie/order', text('{}', type))
      expect([answer.status, answer.headers.get('accept')], type).to.deep.equal([415, 'application/json'])
    }
    for (const type of ['application/json', 'Application/JSON; charset=UTF-8', 'application/vnd.shop+json']) {
      expect((await client.ask('POST', '/pie/order', text('{}', type))).status, type).to.equal(302)
    }
    expect((await client.ask('DELETE', '/pie/order', { as: 'ada' })).status).to.equal(302)
    expect((await client.ask('POST', '/pie/order', { as: 'ada', headers: { 'content-type': 'text/plain' } })).status).to.equal(302)
  })

  it('what the framework has parsed already is taken as it is, and looked at the same way', async () => {
    const { client, testing } = await open(scope())
    const parsed = (parsedBody: unknown) => client.ask('POST', '/pie/order', { as: 'ada', parsedBody, headers: { 'content-type': 'application/json' } })

    expect((await parsed({ context: { a: 1 } })).status).to.equal(302)
    expect((await parsed(Buffer.from('{"context":{"a":2}}'))).status).to.equal(302)
    expect((await parsed('{"context":{"a":3}}')).status).to.equal(302)
    for (const nothing of [{}, null]) expect((await client.ask('POST', '/pie/order', { as: 'ada', parsedBody: nothing })).status).to.equal(302)
    expect((await client.ask('POST', '/pie/order', { as: 'ada', parsedBody: { context: {} } })).status).to.equal(415)
    await testing.idle()
    expect(got).to.deep.equal([{ a: 1 }, { a: 2 }, { a: 3 }, {}, {}])
    for (const bad of [[], { context: [] }, { context: 'x' }, 1, null, { context: { a: Infinity } }]) expect((await parsed(bad)).status).to.equal(400)
  })
})
