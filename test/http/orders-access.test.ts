import { expect } from 'chai'
import { asyncTask, orders, perform, tasks, withContext } from 'errand'
import type { OrdersOptions } from 'errand/orders'
import { membersOf, type OrdersClient } from '../kit/orders-client.js'
import { testOrders } from '../kit/orders-testing.js'
import { eachScope, type Scope } from '../kit/temporary.js'

const bake = asyncTask(async function bakeForOwner(): Promise<void> {})
const plain = asyncTask(async function plainTaskOfOwner(): Promise<void> {})

async function open(scope: Scope, options: OrdersOptions = {}): Promise<OrdersClient> {
  const { client } = await testOrders(scope, () => orders.register('pie', bake), { mode: 'capture', ...options })
  return client
}

const uuidOf = (place: string): string => place.replace(/[?].*$/, '').slice(-36)

/** What a client gets of an order in every way there is. */
async function everyWay(client: OrdersClient, place: string, as?: string): Promise<readonly number[]> {
  const asked = as === undefined ? {} : { as }
  const ways = [client.ask('GET', place, asked), client.ask('HEAD', place, asked), client.ask('GET', `${place}/`, asked), client.ask('DELETE', place, asked)]
  return (await Promise.all(ways)).map(({ status }) => status)
}

describe('Whose orders are whose', () => {
  const scope = eachScope()

  it('the order of somebody else answers as one that does not exist, however it is asked for (item 144)', async () => {
    const client = await open(scope())
    const place = await client.place('pie', { as: 'ada' })

    expect(await everyWay(client, place, 'grace')).to.deep.equal([404, 404, 404, 404])
    expect(await everyWay(client, place)).to.deep.equal([404, 404, 404, 404])
    const [theirs, nobodys] = await Promise.all([client.ask('GET', place, { as: 'grace' }), client.ask('GET', `/orders/${crypto.randomUUID()}`, { as: 'grace' })])
    expect(await theirs.text()).to.equal(await nobodys.text())
    expect((await orders.get(uuidOf(place)))?.status).to.equal('queued')
  })

  it('people of one id are told apart by their tenants, also by their keys (item 144)', async () => {
    const client = await open(scope())
    const headers = { 'idempotency-key': '"one"' }
    const place = await client.place('pie', { tenant: 'acme', headers })

    expect((await client.ask('GET', place, { as: 'ada', tenant: 'acme' })).status).to.equal(202)
    expect((await client.ask('GET', place, { as: 'ada', tenant: 'other' })).status).to.equal(404)
    expect((await client.ask('GET', place, { as: 'ada' })).status).to.equal(404)
    expect(await client.place('pie', { tenant: 'other', headers })).to.not.equal(place)
    const { orders: listed } = await membersOf(await client.ask('GET', '/orders', { as: 'ada', tenant: 'acme' }))
    expect(listed).to.have.length(1)
    expect((await orders.list({ owner: 'ada' })).orders).to.have.length(2)
  })

  it('people whose long ids begin alike are told apart (item 144)', async () => {
    const client = await open(scope())
    const [one, other] = ['1', '2'].map((end) => `cn=${'x'.repeat(120)}${end}`)
    await client.place('pie', { as: one ?? '' })

    const idsOf = async (as = ''): Promise<unknown> => (await membersOf(await client.ask('GET', '/orders', { as }))).orders
    expect(await idsOf(one)).to.have.length(1)
    expect(await idsOf(other)).to.have.length(0)
    const owners = (await tasks.search()).tasks.map(({ owner }) => owner)
    expect(owners.map((owner) => owner?.length)).to.deep.equal([100])
  })

  it('callers whom nothing tells apart have no keys in common, for want of keys', async () => {
    const client = await open(scope())
    const asked = { clientAddress: null, headers: { 'idempotency-key': '"one"' }, json: {} }

    expect((await client.ask('POST', '/pie/order', asked)).status).to.equal(400)
    expect((await client.ask('POST', '/pie/order', { ...asked, headers: {} })).status).to.equal(302)
    expect((await client.ask('POST', '/pie/order', { ...asked, clientAddress: '192.0.2.7' })).status).to.equal(302)
  })

  it('an administrator by the rule of the application may know and cancel every order, and nobody by a rule that answers nonsense (item 144)', async () => {
    const client = await open(scope(), { isAdmin: ({ user }) => (user?.id === 'root' ? true : ('yes' as unknown as boolean)) })
    const place = await client.place('pie', { as: 'ada' })

    expect((await client.ask('GET', place, { as: 'grace' })).status).to.equal(404)
    expect((await client.ask('GET', place, { as: 'root' })).status).to.equal(202)
    const { orders: listed } = await membersOf(await client.ask('GET', '/orders?owner=ada', { as: 'root' }))
    expect(listed).to.have.length(1)
    expect((await client.ask('GET', '/orders?owner=ada', { as: 'grace' })).status).to.equal(404)
    expect((await client.ask('DELETE', place, { as: 'root' })).status).to.equal(200)
  })

  it('a rule of the application that throws opens nothing, and its error stays here', async () => {
    const client = await open(scope(), { isAdmin: () => Promise.reject(new Error('the directory at 10.0.0.1 is away')) })
    const place = await client.place('pie')

    const answer = await client.ask('GET', place, { as: 'grace' })

    expect(answer.status).to.equal(500)
    expect(await answer.text()).not.to.match(/directory|10\.0|at /)
    expect((await client.ask('GET', place, { as: 'ada' })).status).to.equal(202)
  })

  it('an id of 122 random bits is given to each order, and nothing else is looked for (item 145)', async () => {
    const client = await open(scope())

    const places = await Promise.all(Array.from({ length: 200 }, () => client.place('pie')))

    expect(new Set(places)).to.have.property('size', 200)
    for (const place of places) expect(uuidOf(place)).to.match(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  it('only registered tasks are run by orders, whatever the name says (item 146)', async () => {
    const client = await open(scope())
    const names = ['plainTaskOfOwner', 'bakeForOwner', 'constructor', '__proto__', 'toString', '%2e%2e', 'pie%2Forder', '%00', '%ff', 'pie%20', 'Pie']

    for (const name of names) expect((await client.ask('POST', `/${name}/order`, { as: 'ada' })).status, name).to.equal(404)
  })

  it('a task that is no order is not shown as one', async () => {
    const client = await open(scope())
    const { id } = await withContext({ user: { id: 'ada' } }, () => perform(plain))

    expect((await client.ask('GET', `/orders/${id}`, { as: 'ada' })).status).to.equal(404)
    expect((await client.ask('DELETE', `/orders/${id}`, { as: 'ada' })).status).to.equal(404)
    expect(await membersOf(await client.ask('GET', '/orders', { as: 'ada' }))).to.deep.equal({ orders: [], next: null })
  })

  it('users whose ids begin alike for a hundred characters are told apart', async () => {
    const client = await open(scope())
    const [one, other] = [`${'x'.repeat(100)}1`, `${'x'.repeat(100)}2`]
    const place = await client.place('pie', { as: one })

    expect((await client.ask('GET', place, { as: other })).status).to.equal(404)
    expect((await client.ask('GET', place, { as: one })).status).to.equal(202)
    expect((await membersOf(await client.ask('GET', '/orders', { as: other })))['orders']).to.deep.equal([])
    expect((await membersOf(await client.ask('GET', '/orders', { as: one })))['orders']).to.have.length(1)
  })

  it('orders are listed for their owner, the last first and page by page, with their times (item 120)', async () => {
    const client = await open(scope())
    const placed: string[] = []
    for (let index = 0; index < 5; index++) placed.push(uuidOf(await client.place('pie')))
    await client.place('pie', { as: 'grace' })
    await withContext({ user: { id: 'ada' } }, () => perform(plain))

    const found: unknown[] = []
    let next: unknown = '/async/orders?limit=2'
    while (typeof next === 'string') {
      const answer = await client.ask('GET', next, { as: 'ada' })
      const page = await membersOf(answer)
      expect(answer.headers.get('link')).to.equal(page['next'] === null ? null : `<${page['next'] as string}>; rel="next"`)
      found.push(...(page['orders'] as unknown[]))
      next = page['next']
    }

    expect(found.map((order) => (order as { uuid: string }).uuid)).to.have.members(placed)
    for (const order of found as { created: string; updated: string }[]) expect(Date.parse(order.created)).to.be.at.most(Date.parse(order.updated))
  })

  it('nobody has no list, and a page that cannot be is refused', async () => {
    const client = await open(scope())
    await client.place('pie', {})

    expect(await membersOf(await client.ask('GET', '/orders'))).to.deep.equal({ orders: [], next: null })
    for (const query of ['limit=0', 'limit=101', 'limit=x', 'limit=1e1', 'after=%20', 'after=bm9uc2Vuc2U']) {
      expect((await client.ask('GET', `/orders?${query}`, { as: 'ada' })).status, query).to.equal(400)
    }
  })

  it('an order is cancelled by DELETE, once and again, and answers so (item 120)', async () => {
    const client = await open(scope())
    const place = await client.place('pie')

    const answers = [await client.ask('DELETE', place, { as: 'ada' }), await client.ask('DELETE', `${place}/`, { as: 'ada' }), await client.ask('GET', place, { as: 'ada' })]

    for (const answer of answers) {
      expect(answer.status).to.equal(200)
      expect(await membersOf(answer)).to.include({ status: 'cancelled', message: '' })
    }
  })

  it('a client that repeats DELETE as it follows the answer does not cancel the order it has just placed', async () => {
    const { client } = await testOrders(scope(), () => orders.registerDestroy('pie', bake), { mode: 'capture' })
    const place = await client.place('pie', { method: 'DELETE' })

    expect((await client.ask('DELETE', place, { as: 'grace' })).status).to.equal(404)
    expect((await client.ask('DELETE', place, { as: 'ada' })).status).to.equal(409)
    expect((await orders.get(uuidOf(place)))?.status).to.equal('queued')
    expect(await membersOf(await client.ask('DELETE', `${place}?cancel`, { as: 'ada' }))).to.include({ status: 'cancelled' })
  })

  it('an order placed by nobody is reachable by the signed address of its placement alone', async () => {
    const client = await open(scope())
    const answer = await client.ask('POST', '/pie/order')
    const place = answer.headers.get('location') ?? ''

    expect(place).to.match(/^\/async\/orders\/[0-9a-f-]{36}\?token=[\w.-]+$/)
    expect((await client.ask('GET', place)).status).to.equal(202)
    expect((await client.ask('GET', place, { as: 'grace' })).status).to.equal(202)
    expect(await everyWay(client, place.replace(/[?].*$/, ''), 'grace')).to.deep.equal([404, 404, 404, 404])
    expect((await client.ask('DELETE', place)).status).to.equal(200)
  })

  it('a signature holds for one order, until its time, and unchanged', async () => {
    const client = await open(scope())
    const [place, other] = [await client.place('pie', { as: 'ada' }), await client.place('pie', { as: 'ada' })]
    const link = await orders.signedLink(uuidOf(place), { expires: '1h' })
    const token = new URL(link, 'https://shop.example').searchParams.get('token') ?? ''
    const [until = '', key = '', mac = ''] = token.split('.')
    const later = (Number.parseInt(until, 36) + 1).toString(36)
    const expired = await orders.signedLink(uuidOf(place), { expires: 0 })

    expect((await client.ask('GET', link)).status).to.equal(202)
    const bad = ['', '.', '..', until, `${later}.${key}.${mac}`, `${until}.${key}.${mac.slice(1)}`, `${until}.${key}.${mac}A`, `${until}.other.${mac}`, `${token}.${token}`, 'x'.repeat(5_000)]
    for (const text of bad) expect((await client.ask('GET', `${place}?token=${encodeURIComponent(text)}`)).status, text.slice(0, 80)).to.equal(404)
    expect((await client.ask('GET', `${other}?token=${token}`)).status).to.equal(404)
    expect((await client.ask('GET', expired)).status).to.equal(404)
  })

  it('the application may refuse orders of nobody', async () => {
    const client = await open(scope(), { anonymous: 'refuse' })

    expect((await client.ask('POST', '/pie/order')).status).to.equal(403)
    expect((await client.ask('POST', '/pie/order', { as: 'ada' })).status).to.equal(302)
  })

  it('a page of another origin can neither place nor cancel an order, unless that origin is allowed', async () => {
    const client = await open(scope(), { allowedOrigins: ['https://partner.example'] })
    const place = await client.place('pie')
    const foreign = [{ origin: 'https://evil.example' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site', origin: 'https://a.shop.example' }, { origin: 'shop.example' }]
    const own = [{}, { origin: 'https://shop.example' }, { 'sec-fetch-site': 'same-origin' }, { 'sec-fetch-site': 'none' }, { origin: 'https://partner.example', 'sec-fetch-site': 'cross-site' }]

    for (const headers of foreign) {
      expect((await client.ask('POST', '/pie/order', { as: 'ada', headers })).status, JSON.stringify(headers)).to.equal(403)
      expect((await client.ask('DELETE', place, { as: 'ada', headers })).status, JSON.stringify(headers)).to.equal(403)
    }
    for (const headers of own) expect((await client.ask('POST', '/pie/order', { as: 'ada', headers })).status, JSON.stringify(headers)).to.equal(302)
  })
})
