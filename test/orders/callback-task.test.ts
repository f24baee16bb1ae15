import { expect } from 'chai'
import { fileURLToPath } from 'node:url'
import { asyncTask, orders, tasks, verifyCallback, type ConfigInput, type TaskStatus } from 'errand'
import { ordersHandler } from 'errand/orders'
import { generateKey } from '#src/core/seal/key-ring.js'
import { callbackSecretOf } from '#src/core/seal/callback-secret.js'
import { jam, report, wait } from '../fixtures/callbacks/tasks.js'
import { makeAuthority } from '../kit/certificates.js'
import { membersOf, OrdersClient } from '../kit/orders-client.js'
import { openReceiver, type Received } from '../kit/receiver.js'
import { StatesApp } from '../kit/states-app.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

const KEY = generateKey()
const BASE: ConfigInput = { key: KEY, services: fileURLToPath(new URL('../fixtures/callbacks/tasks.js', import.meta.url)) }
const CALLBACKS: ConfigInput = { ...BASE, callbacks: { hosts: ['127.0.0.1:*'], allowPrivate: true, retries: 2 } }

const ORDERS = { report, jam, wait }

/** The one callback of an order, once it is in that state. */
const callbackThat = (state: string): Promise<TaskStatus> =>
  until(`a callback that ${state}`, async () => {
    const [found] = (await tasks.search({ task: 'errand.callback' })).tasks
    return found?.state === state && found
  })

const payloadOf = (request: Received | undefined): unknown =>
  verifyCallback({ headers: request?.headers ?? {}, body: request?.body ?? '', secret: callbackSecretOf(KEY) }).payload

describe('the callback of an order', function () {
  this.timeout(120_000)
  const scope = eachScope()
  const client = new OrdersClient(ordersHandler())

  async function started(config: ConfigInput = CALLBACKS): Promise<StatesApp> {
    const app = new StatesApp(scope(), config)
    await app.start()
    return app
  }

  /** Places an order that has `url` called; answers its id. */
  const place = async (name: keyof typeof ORDERS, url: string, context: object = {}): Promise<string> => (await client.place(`printed-${name}`, { json: { context, callback: url } })).slice(-36)

  it('tells of its completion what its client would see, signed with the secret that is derived from the key (item 121)', async () => {
    const receiver = await openReceiver(scope())
    const app = await started()
    await app.worker()

    const uuid = await place('report', `${receiver.origin}/done`, { year: 2026 })

    const [request] = await receiver.received(1)
    const { result, ...seen } = await membersOf(await client.ask('GET', `/orders/${uuid}`, { as: 'ada' }))
    expect(result).to.be.a('string')
    expect(payloadOf(request)).to.deep.equal(seen)
    expect(seen).to.include({ uuid, status: 'completed', message: 'Printed.', resource_url: 'https://shop.example/reports/7' })
    const status = await callbackThat('completed')
    expect(request?.headers['webhook-id']).to.equal(status.id)
    expect(status.tags).to.deep.equal([`order:${uuid}`])
    expect(receiver.requests).to.have.length(1)
  })

  it('tells of a failure, and nothing of what is inside', async () => {
    const receiver = await openReceiver(scope())
    const app = await started()
    await app.worker()

    const uuid = await place('jam', receiver.origin)

    const [request] = await receiver.received(1)
    expect(payloadOf(request)).to.include({ uuid, status: 'failed', message: 'The order could not be carried out.' })
    expect(request?.body).not.to.contain('paper')
  })

  it('tells of a cancellation, before its task ran and while it ran', async () => {
    const receiver = await openReceiver(scope())
    const app = await started()
    const waiting = await place('wait', receiver.origin, { gate: app.gate })
    await orders.cancel(waiting)
    await app.worker()
    expect(payloadOf((await receiver.received(1))[0])).to.include({ uuid: waiting, status: 'cancelled' })

    const running = await place('wait', receiver.origin, { gate: app.gate })
    await app.reached(running, 'running')
    await orders.cancel(running)

    expect(payloadOf((await receiver.received(2))[1])).to.include({ uuid: running, status: 'cancelled' })
  })

  it('is sent although the worker of the order was killed', async () => {
    const receiver = await openReceiver(scope())
    const app = await started()
    await app.worker()
    const uuid = await place('wait', receiver.origin, { gate: app.gate })

    app.killWorkerOf(await app.reached(uuid, 'running'))
    app.open()
    await app.worker()

    expect(payloadOf((await receiver.received(1))[0])).to.include({ uuid, status: 'completed' })
  })

  it('is sent again under the same id when its worker is killed before the answer', async () => {
    const receiver = await openReceiver(scope(), (count) => (count === 1 ? undefined : 204))
    const app = await started()
    await app.worker()
    await place('jam', receiver.origin)
    await receiver.received(1)

    app.killWorkerOf(await callbackThat('running'))
    await app.worker()

    const [first, second] = await receiver.received(2)
    await callbackThat('completed')
    expect(second?.headers['webhook-id']).to.equal(first?.headers['webhook-id'])
    expect(receiver.requests).to.have.length(2)
  })

  it('is sent again after a failure of the receiver, and its timeline tells of both', async () => {
    const receiver = await openReceiver(scope(), (count) => (count === 1 ? 503 : 200))
    const app = await started()
    await app.worker()

    await place('jam', `${receiver.origin}/done?token=hunter2hunter2`)

    const [first, second] = await receiver.received(2)
    const status = await callbackThat('completed')
    expect(second?.headers['webhook-id']).to.equal(first?.headers['webhook-id'])
    expect(status.attempts.map(({ outcome }) => outcome)).to.deep.equal(['retrying', 'completed'])
    expect(status.attempts[0]?.error?.message).to.equal(`The callback to ${receiver.origin} was answered with 503.`)
    expect(JSON.stringify(status)).not.to.contain('hunter2')
  })

  it('is given up at once when the receiver refuses it, and never shows its path and query', async () => {
    const receiver = await openReceiver(scope(), () => 410)
    const app = await started()
    const worker = await app.worker()

    const uuid = await place('report', `${receiver.origin}/secret-path?token=hunter2hunter2`)

    const status = await callbackThat('failed')
    expect(receiver.requests).to.have.length(1)
    expect(status.error?.message).to.contain('answered with 410')
    const order = await membersOf(await client.ask('GET', `/orders/${uuid}`, { as: 'ada' }))
    expect(order).to.include({ status: 'completed' })
    expect(JSON.stringify([status, order]) + worker.output).not.to.match(/hunter2|secret-path/)
  })

  it('is given up after the configured number of retries', async () => {
    const receiver = await openReceiver(scope(), () => 429)
    const app = await started({ ...CALLBACKS, callbacks: { ...CALLBACKS.callbacks, retries: 1 } })
    await app.worker()

    await place('jam', receiver.origin)

    await callbackThat('failed')
    expect(receiver.requests).to.have.length(2)
  })

  it('goes over TLS to a receiver whose authority the worker knows', async () => {
    const authority = makeAuthority(scope().folder(), 'tests')
    const receiver = await openReceiver(scope(), undefined, authority.sign('127.0.0.1', 'IP:127.0.0.1'))
    const app = await started()
    await app.worker({}, { NODE_EXTRA_CA_CERTS: authority.cert })

    await place('report', `${receiver.origin}/done`)

    expect(payloadOf((await receiver.received(1))[0])).to.include({ status: 'completed' })
  })

  it('is refused before anything is queued when its URL may not be called', async () => {
    const app = await started({ ...CALLBACKS, callbacks: { hosts: ['hooks.example'] } })
    for (const callback of ['https://evil.example/?token=hunter2', 'http://hooks.example/', 'https://127.0.0.1/', 'nonsense', null, 7, {}]) {
      const answer = await client.ask('POST', '/printed-report/order', { as: 'ada', json: { callback } })
      const problem = await membersOf(answer)

      expect(answer.status, JSON.stringify(callback)).to.equal(400)
      expect(problem['detail']).to.match(/^The callback URL cannot be used: /)
      expect(JSON.stringify(problem)).not.to.contain('hunter2')
    }
    expect((await tasks.search()).tasks).to.deep.equal([])
    expect(await app.waiting()).to.equal(0)
  })

  it('is refused as long as the configuration names no host', async () => {
    await started(BASE)

    const answer = await client.ask('POST', '/printed-report/order', { as: 'ada', json: { callback: 'https://hooks.example/' } })

    expect(answer.status).to.equal(400)
    expect((await tasks.search()).tasks).to.deep.equal([])
  })

  it('has a name that no task of an application can have', () => {
    const refused = (declare: () => unknown) => expect(declare).to.throw('errand.')
    refused(() => asyncTask(async function one(): Promise<void> {}, { name: 'errand.callback' }))
    refused(() => asyncTask(async function two(): Promise<void> {}, { aliases: ['errand.other'] }))
  })
})
