import { expect } from 'chai'
import { asyncTask, currentOrder, currentTask, ErrandError, failOnError, orders, progressItems, setProgress, tasks, withContext, context } from 'errand'
import { membersOf } from '../kit/orders-client.js'
import { testOrders } from '../kit/orders-testing.js'
import { eachScope } from '../kit/temporary.js'

type Given = Readonly<Record<string, unknown>>

/** What handlers noted: their name, and how the order stood as they ran. */
const ran: (readonly [string, string])[] = []

const watching = (name: string) =>
  asyncTask(
    async function watch(uuid: string, given: Given): Promise<void> {
      ran.push([`${name} ${JSON.stringify(given)}`, (await orders.get(uuid))?.status ?? 'none'])
    },
    { name: `watching.${name}` },
  )
const first = watching('first')
const second = watching('second')
const updated = watching('updated')
const completed = watching('completed')
const failed = watching('failed')

const breaking = asyncTask(async function breakOrder(): Promise<void> {
  throw new Error('no')
})
const working = asyncTask(async function workOnOrder(): Promise<void> {
  setProgress(10)
})
class OrderKitchen {
  @asyncTask({ order: 'soup' })
  async cook(uuid: string, given: Given): Promise<void> {
    ran.push([`cook ${JSON.stringify(given)}`, uuid])
  }

  @asyncTask({ order: { name: 'soup', action: 'update' } })
  async season(uuid: string): Promise<void> {
    ran.push(['season', uuid])
  }
}
const kitchen = new OrderKitchen()

abstract class BaseOven {
  protected abstract readonly name: string

  @asyncTask({ order: 'roast' })
  async roast(): Promise<void> {
    ran.push(['roast', this.name])
  }

  @asyncTask()
  async cool(): Promise<void> {
    ran.push(['cool', this.name])
  }
}
class BrickOven extends BaseOven {
  protected override readonly name = 'brick'
}
const oven = new BrickOven()
asyncTask(async function toastOnce(): Promise<void> {}, { order: 'toast' })
asyncTask(async function toastTwice(): Promise<void> {}, { order: 'toast' })
const seen = asyncTask(async function seeOrder(uuid: string): Promise<void> {
  const order = currentOrder()
  ran.push([`${order.name} ${order.action} ${JSON.stringify(order.context)} ${order.uuid === uuid} ${currentTask().id === uuid}`, String(context().user?.id)])
})
const callingOn = asyncTask(async function callFromOrder(): Promise<void> {
  await inner()
})
const inner = asyncTask(async function innerOfOrder(): Promise<void> {
  try {
    currentOrder()
  } catch (error) {
    ran.push(['inner', error instanceof ErrandError ? error.code : String(error)])
  }
})

describe('Handlers of orders', () => {
  const scope = eachScope()
  beforeEach(() => {
    ran.length = 0
  })

  it('several are called in their order, and one that fails hides no other (item 116)', async () => {
    const { client, testing } = await testOrders(scope(), () => {
      orders.register('pie', breaking)
      orders.register('pie', first)
      orders.register('pie', second, { queue: 'default' })
    })

    const place = await client.place('pie', { json: { context: { size: 2 } } })
    await testing.idle()

    expect(ran.map(([name]) => name)).to.deep.equal(['first {"size":2}', 'second {"size":2}'])
    expect((await orders.get(place.slice(-36)))?.status).to.equal('failed')
  })

  it('one that cannot be called hides no other, and the order is placed (item 116)', async () => {
    const { client, testing } = await testOrders(scope(), () => {
      orders.register('pie', working)
      orders.register('pie', 'Nobody.knowsThis', { action: 'update' })
      orders.register('pie', first)
    })

    const refused = await client.ask('PUT', '/pie/order', { as: 'ada' })
    await client.place('pie')
    await testing.idle()

    expect(refused.status).to.equal(500)
    expect(ran.map(([name]) => name)).to.deep.equal(['first {}'])
  })

  it('an unknown action, signal, name, option or task is refused where it is registered (item 116)', () => {
    const bad = [
      () => orders.register('pie', first, { action: 'eat' as 'create' }),
      () => orders.register('pie', first, { signal: 'burnt' as 'failed' }),
      () => orders.register('pie', first, { queue: 'no queue' }),
      () => orders.register('pie', first, { color: 1 } as object),
      () => orders.register('orders', first),
      () => orders.register('a/b', first),
      () => asyncTask(async function badOrder(): Promise<void> {}, { order: { name: 'pie', action: 'eat' as 'create' } }),
    ]
    for (const register of bad) expect(register).to.throw(ErrandError).with.property('code', 'OPTION_INVALID')
    expect(() => orders.register('pie', async () => {})).to.throw(ErrandError).with.property('code', 'NOT_A_TASK')
  })

  for (const [method, action] of [['POST', 'create'], ['PUT', 'update'], ['DELETE', 'destroy']] as const) {
    it(`updated, completed and failed are told for the action ${action}, after that is stored (item 117)`, async () => {
      const { client, testing } = await testOrders(scope(), () => {
        orders.register('good', working, { action })
        orders.register('good', updated, { action, signal: 'updated' })
        orders.register('good', completed, { action, signal: 'completed' })
        orders.register('good', failed, { action, signal: 'failed' })
        orders.register('bad', breaking, { action })
        orders.register('bad', completed, { action, signal: 'completed' })
        orders.register('bad', failed, { action, signal: 'failed' })
      })

      await client.place('good', { method, json: { context: { a: 1 } } })
      await client.place('bad', { method })
      await testing.idle()

      const told = new Map(ran)
      expect([...told.keys()]).to.have.members(['updated {"a":1}', 'completed {"a":1}', 'failed {}'])
      expect(told.get('completed {"a":1}')).to.equal('completed')
      expect(told.get('failed {}')).to.equal('failed')
      expect(told.get('updated {"a":1}')).to.be.oneOf(['running', 'completed'])
    })
  }

  it('handlers of another action are not called (item 117)', async () => {
    const { client, testing } = await testOrders(scope(), () => {
      orders.register('good', working)
      orders.registerUpdate('good', completed, { signal: 'completed' })
      orders.registerDestroy('good', updated, { signal: 'updated' })
    })

    await client.place('good')
    await testing.idle()

    expect(ran).to.deep.equal([])
  })

  it('a task says itself what orders it carries out', async () => {
    const { client, testing } = await testOrders(scope(), () => void kitchen)

    const [made, changed] = [await client.place('soup', { json: { context: { salt: true } } }), await client.place('soup', { method: 'PUT' })]
    await testing.idle()

    expect(ran).to.deep.equal([['cook {"salt":true}', made.slice(-36)], ['season', changed.slice(-36)]])
  })

  it('a task of a class that is extended carries out an order once, on an object of the extending class', async () => {
    const { client, testing } = await testOrders(scope(), () => orders.register('roast', oven.cool, { signal: 'completed' }))
    await oven.cool()
    await oven.roast()
    await testing.idle()
    ran.length = 0

    await client.place('roast')
    await testing.idle()

    expect(ran).to.deep.equal([['roast', 'brick'], ['cool', 'brick']])
  })

  it('two tasks that say they carry out the same orders are refused', async () => {
    const { client, testing } = await testOrders(scope(), () => {})

    expect((await client.ask('POST', '/toast/order', { as: 'ada' })).status).to.equal(500)
    const refusal: unknown = await orders.place('toast').catch((error: unknown) => error)
    expect(refusal).to.be.instanceOf(ErrandError).with.property('code', 'TASK_DUPLICATE')
    expect((refusal as ErrandError).message).to.include('toastOnce and toastTwice')
    expect(testing.calls).to.deep.equal([])
  })

  it('the task of an order knows the order, runs as who placed it, and has its id (item 118)', async () => {
    const { client, testing } = await testOrders(scope(), () => orders.registerUpdate('pie', seen))

    await client.place('pie', { method: 'PUT', as: 'grace', json: { context: { hot: true } } })
    await testing.idle()

    expect(ran).to.deep.equal([['pie update {"hot":true} true true', 'grace']])
  })

  it('a task that the task of an order calls is not that order', async () => {
    const { client, testing } = await testOrders(scope(), () => orders.register('pie', callingOn))

    await client.place('pie')
    await testing.idle()

    expect(ran).to.deep.equal([['inner', 'NOT_IN_TASK']])
    expect(() => currentOrder()).to.throw(ErrandError).with.property('code', 'NOT_IN_TASK')
  })

  it('what failOnError() says is stored, fires failed, is logged, and is thrown again with its cause (item 119)', async () => {
    const cause = new Error('the oven is on fire')
    let thrown: unknown
    const telling = asyncTask(async function tellOrder(): Promise<void> {
      try {
        await failOnError('The oven is out of order.', () => Promise.reject(cause))
      } catch (error) {
        thrown = error
        throw error
      }
    })
    const { client, testing } = await testOrders(scope(), () => {
      orders.register('pie', telling)
      orders.register('pie', failed, { signal: 'failed' })
    }, { retries: 3 })

    const place = await client.place('pie')
    await testing.idle()

    expect(thrown).to.include({ code: 'TASK_FAILED', cause })
    expect(await orders.get(place.slice(-36))).to.include({ status: 'failed', message: 'The oven is out of order.' })
    expect((await tasks.get(place.slice(-36)).progress()).message).to.equal('The oven is out of order.')
    expect(ran).to.deep.equal([['failed {}', 'failed']])
    expect(testing.failures.map(({ title }) => title)).to.deep.equal(['tellOrder failed (attempt 1)'])
  })

  it('progress is a number from 0 to 100, for ten items and for a thousand', async () => {
    const told: number[] = []
    const counting = asyncTask(async function countOrder(uuid: string, { length }: { readonly length: number }): Promise<void> {
      for (const item of progressItems(Array.from({ length }, (_, index) => index))) if (item === 0) told.push(length)
      await tasks.get(uuid).status()
    })
    const { client, testing } = await testOrders(scope(), () => orders.register('pie', counting))

    const places = [await client.place('pie', { json: { context: { length: 10 } } }), await client.place('pie', { json: { context: { length: 1000 } } })]
    await testing.idle()

    expect(told).to.deep.equal([10, 1000])
    for (const place of places) expect((await membersOf(await client.ask('GET', place, { as: 'ada' })))['progress']).to.equal(100)
  })

  it('with useTaskQueue = false handlers run before the client is answered, retries too (item 122)', async () => {
    let runs = 0
    const flaky = asyncTask(async function flakeOrder(): Promise<void> {
      runs++
      ran.push(['flake', String(currentTask().attempt)])
      if (runs === 1) throw new Error('once')
    })
    const { client, testing } = await testOrders(scope(), () => {
      orders.register('pie', flaky)
      orders.register('pie', first)
      orders.register('pie', completed, { signal: 'completed' })
    }, { retries: 1 })
    orders.useTaskQueue = false

    const place = await client.place('pie')

    expect(ran).to.deep.equal([['flake', '1'], ['flake', '2'], ['completed {}', 'completed'], ['first {}', 'completed']])
    expect((await client.ask('GET', place, { as: 'ada' })).status).to.equal(201)
    expect(testing.calls).to.deep.equal([])
  })

  it('orders can be placed, read and cancelled without HTTP', async () => {
    await testOrders(scope(), () => orders.register('pie', working), { mode: 'capture' })

    const { uuid } = await withContext({ user: { id: 'ada' } }, () => orders.place('pie', { context: { a: 1 }, key: 'k' }))
    const again = await withContext({ user: { id: 'ada' } }, () => orders.place('pie', { context: { a: 1 }, key: 'k' }))
    const other: unknown = await withContext({ user: { id: 'ada' } }, () => orders.place('pie', { key: 'k' })).catch((error: unknown) => error)

    expect(other).to.be.instanceOf(ErrandError).with.property('code', 'CALL_INVALID')
    expect(again).to.deep.equal({ uuid, isNew: false })
    const loop: Record<string, unknown> = {}
    loop['self'] = loop
    for (const context of [{ a: 1n }, loop]) {
      for (const options of [{ context }, { context, key: 'loop' }]) {
        const refusal: unknown = await orders.place('pie', options).catch((error: unknown) => error)
        expect(refusal).to.be.instanceOf(ErrandError).with.property('code', 'VALUE_UNSERIALIZABLE')
      }
    }
    expect(await orders.get(uuid)).to.include({ name: 'pie', action: 'create', status: 'queued', owner: 'ada' })
    expect((await orders.list({ owner: 'ada' })).orders.map((order) => order.uuid)).to.deep.equal([uuid])
    expect((await orders.list({ owner: 'grace' })).orders).to.deep.equal([])
    expect(await orders.cancel(uuid, { reason: 'too late' })).to.equal(true)
    expect(await orders.get(uuid)).to.include({ status: 'cancelled', message: 'too late' })
  })
})
