import { expect } from 'chai'
import { tasks } from 'errand'
import { describeRabbit, freshNamespace, sharedRabbitNode } from '../kit/rabbitmq.js'
import { OrdersApp } from '../kit/orders-app.js'
import { membersOf } from '../kit/orders-client.js'
import { TcpProxy } from '../kit/tcp-proxy.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

const placeOf = (answer: Response): string => answer.headers.get('location') ?? ''

/** What everything else about orders is for. */
async function followThroughKill(app: OrdersApp): Promise<void> {
  await app.start()

  const placed = await app.placeHeld({ headers: { cookie: 'session=1', 'accept-language': 'de', 'x-secret': '2' } })
  expect(placed.status).to.equal(302)
  const place = placeOf(placed)
  const queued = await app.ask(place)
  expect([queued.status, queued.headers.get('retry-after')]).to.deep.equal([202, '1'])
  expect(await membersOf(queued)).to.include({ status: 'queued', progress: 0, message: '' })

  const first = await app.worker()
  await app.reached(place, { status: 'running', progress: 10, message: 'Attempt 1.' })
  first.kill('SIGKILL')
  await first.exited
  await app.worker()
  await app.reached(place, { status: 'running', progress: 20, message: 'Attempt 2.' })
  app.open()

  const done = await app.ask(place, { headers: { prefer: 'wait=30' } })
  expect(done.status).to.equal(201)
  const { resource_url: url } = await membersOf(done)
  expect(url).to.match(new RegExp(`^http://127\\.0\\.0\\.1:\\d+/held/${place.slice(-36)}$`))
  // item 148: of the headers those of the list, and no cookie
  expect(await app.noted(/^ran 2/)).to.include('as ada with accept-language in')
}

describe('Orders that a worker carries out', function () {
  this.timeout(120_000)
  const scope = eachScope()

  it('an order is followed from 302 over 202 to 201, and its worker may be killed meanwhile (items 106, 109 and 115)', () => followThroughKill(new OrdersApp(scope())))

  it('an order that was answered survives the kill of its server, with the handlers of its end', async () => {
    const app = new OrdersApp(scope())
    const place = placeOf(await app.placeAndKill())
    app.open()

    await app.start()
    await app.worker()

    expect((await app.ask(place, { headers: { prefer: 'wait=30' } })).status).to.equal(201)
    expect(await app.noted(/^completed/)).to.equal('completed completed Attempt 1.')
  })

  it('handlers of queued, updated and completed are called by the worker, after that is stored, and once (item 117)', async () => {
    const app = new OrdersApp(scope())
    await app.start()
    await app.worker()
    const place = placeOf(await app.placeHeld())

    await app.noted(/^updated running Attempt 1\./)
    app.open()

    expect(await app.noted(/^completed/)).to.equal('completed completed Attempt 1.')
    await app.noted(/^queued/)
    await until('nothing waits', async () => (await tasks.search({ states: ['queued', 'running'] })).tasks.length === 0)
    expect(app.notes().filter((note) => note.startsWith('completed'))).to.have.length(1)
    expect((await app.ask(place)).status).to.equal(201)
  })

  it('an order is carried out in a thread of its own as it is in the worker', async () => {
    const app = new OrdersApp(scope())
    await app.start()
    await app.worker()

    const answer = await app.ask('/async/apart/order', { method: 'POST', headers: { prefer: 'wait=30' } })

    expect(await membersOf(answer)).to.include({ status: 'completed', message: 'In a thread.' }).and.to.have.property('resource_url').that.includes('/somewhere')
  })

  it('a failure is told by its handler, and the client learns nothing of its error (items 117 and 119)', async () => {
    const app = new OrdersApp(scope())
    await app.start()
    await app.worker()
    app.open('.fail')
    app.open()

    const answer = await app.placeHeld({ headers: { prefer: 'wait=30' } })

    expect(answer.status).to.equal(200)
    const text = await answer.text()
    expect(JSON.parse(text)).to.include({ status: 'failed', message: 'Attempt 1.' })
    expect(text).not.to.include('secret of the fixture')
    expect(await app.noted(/^failed/)).to.equal('failed failed Attempt 1.')
  })

  it('a running order is cancelled, and so are the tasks that it called (item 120)', async () => {
    const app = new OrdersApp(scope())
    await app.start()
    const place = placeOf(await app.placeHeld())

    const answer = await app.ask(place, { method: 'DELETE' })

    expect(await membersOf(answer)).to.include({ status: 'cancelled' })
    const { tasks: called } = await tasks.search({ parentId: place.slice(-36) })
    expect(called.map(({ state, task }) => `${task} ${state}`)).to.deep.equal(['noteOrder.queued cancelled'])
  })

  it('a hundred placements at once with one key are one order, over HTTP', async () => {
    const app = new OrdersApp(scope())
    await app.start()

    const answers = await Promise.all(Array.from({ length: 100 }, () => app.placeHeld({ headers: { 'idempotency-key': '"one"' } })))

    expect(new Set(answers.map(placeOf))).to.have.property('size', 1)
    expect((await tasks.search({ task: 'holdOrder' })).tasks).to.have.length(1)
  })
})

describeRabbit('Orders on RabbitMQ', function () {
  this.timeout(120_000)
  const scope = eachScope()

  it('an order is followed from 302 over 202 to 201, and its worker may be killed meanwhile', async () => {
    await followThroughKill(new OrdersApp(scope(), { service: freshNamespace(), broker: { url: (await sharedRabbitNode()).url } }))
  })

  it('while the broker is away the client is told 503, nothing is left queued, and the same key places the order later (item 114)', async () => {
    const proxy = scope().use(await TcpProxy.to((await sharedRabbitNode()).url))
    const app = new OrdersApp(scope(), { service: freshNamespace(), broker: { url: proxy.url, connectTimeout: '1s', confirmTimeout: '2s' }, whenBrokerAway: 'reject' })
    await app.start()
    proxy.mode = 'silent'
    proxy.reset()

    const headers = { 'idempotency-key': '"later"' }
    const refused = await app.placeHeld({ headers })

    expect([refused.status, refused.headers.get('retry-after')]).to.deep.equal([503, '5'])
    expect(await refused.text()).not.to.match(/127\.0\.0\.1|amqp|Error/)
    expect((await tasks.search({ states: ['queued', 'scheduled', 'running', 'retrying'] })).tasks).to.deep.equal([])
    proxy.mode = 'pass'
    const placed = await until('the broker is back', async () => {
      const answer = await app.placeHeld({ headers })
      return answer.status === 302 && answer
    }, 60_000)
    await app.worker()
    app.open()
    expect((await app.ask(placeOf(placed), { headers: { prefer: 'wait=30' } })).status).to.equal(201)
  })
})
