import { expect } from 'chai'
import { asyncTask, currentOrder, failOnError, orders, setProgress } from 'errand'
import { startTesting, type Testing } from 'errand/testing'
import { ordersHandler } from 'errand/orders'
import { forgetHandlers } from '#src/orders/handlers.js'
import { membersOf, OrdersClient } from '../kit/orders-client.js'
import { eachScope, type Scope } from '../kit/temporary.js'

const ran: unknown[] = []
const noted = (name: string) =>
  asyncTask(
    async function note(uuid: string, given: Readonly<Record<string, unknown>>): Promise<void> {
      ran.push([name, uuid, given])
    },
    { name },
  )
const bake = noted('orders.bake')
const reheat = noted('orders.reheat')
const bin = noted('orders.bin')
const serve = asyncTask(async function serveFries(): Promise<void> {
  const order = currentOrder()
  order.setMessage('Fried.')
  order.setResourceUrl('/fries/bucket/2/')
  setProgress(40)
})
const burn = asyncTask(async function burnFries(): Promise<void> {
  throw new Error('thermostat at /srv/fryer.js')
})
const explain = asyncTask(async function explainFries(): Promise<void> {
  await failOnError('There are no potatoes.', () => {
    throw new Error('potatoes.db is locked')
  })
})

async function open(scope: Scope, mode: 'run' | 'capture' = 'run'): Promise<{ testing: Testing; client: OrdersClient }> {
  ran.length = 0
  const testing = await startTesting({ mode })
  scope.defer(() => testing.stop())
  scope.defer(forgetHandlers)
  orders.register('fries', bake)
  orders.registerUpdate('fries', reheat)
  orders.registerDestroy('fries', bin)
  orders.register('meal', serve)
  orders.register('burnt', burn)
  orders.register('sorry', explain)
  return { testing, client: new OrdersClient(ordersHandler()) }
}

describe('Orders over HTTP', () => {
  const scope = eachScope()

  it('a placed order answers 302 with the address where it is followed, and no body (item 106)', async () => {
    const { client } = await open(scope())

    const answer = await client.ask('POST', '/fries/order/', { as: 'ada', json: { context: { size: 'large' } } })

    expect(answer.status).to.equal(302)
    expect(answer.headers.get('location')).to.match(/^\/async\/orders\/[0-9a-f-]{36}$/)
    expect(await answer.text()).to.equal('')
  })

  it('POST, PUT and DELETE run the task of their action and no other (item 107)', async () => {
    const { client, testing } = await open(scope())

    const places = [await client.place('fries', { method: 'PUT' }), await client.place('fries', { method: 'DELETE' })]
    await testing.idle()

    expect(ran).to.deep.equal([
      ['orders.reheat', places[0]?.slice(-36), {}],
      ['orders.bin', places[1]?.slice(-36), {}],
    ])
  })

  it('a context that is missing is an empty one, and one that is no object is refused without an order (item 108)', async () => {
    const { client, testing } = await open(scope())

    const refused = await client.ask('POST', '/fries/order', { as: 'ada', json: { context: 'large' } })
    await client.place('fries', { json: {} })
    await testing.idle()

    expect(refused.status).to.equal(400)
    const { context } = await membersOf(refused)
    expect(context).to.be.an('array').with.property('0').that.includes('is not a valid JSON')
    expect(ran.map((one) => (one as unknown[])[2])).to.deep.equal([{}])
    expect(testing.calls).to.have.length(1)
  })

  it('an order is 202 until it has ended, then 201 where it created something and 200 otherwise (item 109)', async () => {
    const { client, testing } = await open(scope())
    const placed = await Promise.all([client.place('fries'), client.place('fries', { method: 'PUT' }), client.place('burnt')])
    await testing.idle()

    const statuses = await Promise.all(placed.map(async (place) => (await client.ask('GET', place, { as: 'ada' })).status))

    expect(statuses).to.deep.equal([201, 200, 200])
  })

  it('an order that nobody runs yet is queued, with Retry-After (items 109 and 115)', async () => {
    const { client } = await open(scope(), 'capture')

    const answer = await client.ask('GET', `${await client.place('fries')}/`, { as: 'ada' })

    expect(answer.status).to.equal(202)
    expect(answer.headers.get('retry-after')).to.equal('1')
    expect(await membersOf(answer)).to.include({ status: 'queued', progress: 0, message: '', resource_url: '' })
  })

  it('the six members of older systems come first (item 110)', async () => {
    const { client } = await open(scope(), 'capture')

    const members = await membersOf(await client.ask('GET', await client.place('fries'), { as: 'ada' }))

    expect(Object.keys(members).slice(0, 6)).to.deep.equal(['uuid', 'status', 'message', 'resource_url', 'context', 'progress'])
  })

  it('what a task says of itself is kept when it has ended, with an absolute address of its resource (items 111 and 118)', async () => {
    const { client, testing } = await open(scope())
    const place = await client.place('meal')
    await testing.idle()

    const members = await membersOf(await client.ask('GET', place, { as: 'ada' }))

    expect(members).to.include({ status: 'completed', message: 'Fried.', resource_url: 'https://shop.example/fries/bucket/2/', progress: 100 })
  })

  it('a failure is told in a plain sentence, and in the words that were chosen for it (item 119)', async () => {
    const { client, testing } = await open(scope())
    const places = [await client.place('burnt'), await client.place('sorry')]
    await testing.idle()

    const [burnt = '', sorry = ''] = await Promise.all(places.map(async (place) => (await client.ask('GET', place, { as: 'ada' })).text()))

    expect(JSON.parse(burnt)).to.include({ status: 'failed', message: 'The order could not be carried out.' })
    expect(JSON.parse(sorry)).to.include({ status: 'failed', message: 'There are no potatoes.' })
    expect(burnt + sorry).not.to.match(/thermostat|potatoes\.db|\.js|at /)
  })
})
