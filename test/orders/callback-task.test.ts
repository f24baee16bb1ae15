import { expect } from 'chai'
import { asyncTask, tasks, verifyCallback, type ConfigInput, type TaskStatus } from 'errand'
import { generateKey } from '#src/core/seal/key-ring.js'
import { callbackSecretOf } from '#src/core/seal/callback-secret.js'
import { acceptCallback, callbackTask } from '#src/orders/callback/callback-task.js'
import type { OrderEnd } from '#src/orders/callback/callback-body.js'
import { makeAuthority } from '../kit/certificates.js'
import { openReceiver, type Received } from '../kit/receiver.js'
import { StatesApp } from '../kit/states-app.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

const KEY = generateKey()
const CALLBACKS: ConfigInput = { key: KEY, callbacks: { hosts: ['127.0.0.1:*'], allowPrivate: true, retries: 2 } }
const ORDER = { uuid: 'o-1', resource_url: 'https://shop.example/reports/1' }

const sendCallback = (url: string, end: OrderEnd): Promise<void> => callbackTask()(url, ORDER, end)

/** The one task of callbacks, once it is in that state. */
const callbackThat = (state: string): Promise<TaskStatus> =>
  until(`a callback that ${state}`, async () => {
    const [found] = (await tasks.search({ task: 'errand.callback' })).tasks
    return found?.state === state && found
  })

const payloadOf = (request: Received | undefined): unknown =>
  verifyCallback({ headers: request?.headers ?? {}, body: request?.body ?? '', secret: callbackSecretOf(KEY) }).payload

describe('the callback of an order', function () {
  this.timeout(60_000)
  const scope = eachScope()

  async function started(config: ConfigInput = CALLBACKS): Promise<StatesApp> {
    const app = new StatesApp(scope(), config)
    await app.start()
    return app
  }

  it('is sent by a worker whose services know nothing of it, signed with the secret that is derived from the key', async () => {
    const receiver = await openReceiver(scope())
    const app = await started()
    await app.worker()

    await sendCallback(`${receiver.origin}/done`, { state: 'completed' })

    const [request] = await receiver.received(1)
    expect(payloadOf(request)).to.deep.equal({ uuid: 'o-1', status: 'completed', message: '', resource_url: ORDER.resource_url })
    const status = await callbackThat('completed')
    expect(request?.headers['webhook-id']).to.equal(status.id)
    expect(status.attempts).to.have.length(1)
  })

  it('tells that the order failed or was cancelled, and nothing of what is inside', async () => {
    const receiver = await openReceiver(scope())
    const app = await started()
    await app.worker()

    const failed: { state: 'failed'; error: Error } = { state: 'failed', error: new TypeError('no paper in printer 7') }
    await sendCallback(receiver.origin, failed)
    await receiver.received(1)
    await sendCallback(receiver.origin, { state: 'cancelled' })

    const [first, second] = await receiver.received(2)
    expect(payloadOf(first)).to.deep.equal({ uuid: 'o-1', status: 'failed', message: 'The order could not be carried out.', resource_url: ORDER.resource_url })
    expect(payloadOf(second)).to.include({ status: 'cancelled', message: '' })
  })

  it('is sent again under the same id when its worker is killed before the answer', async () => {
    const receiver = await openReceiver(scope(), (count) => (count === 1 ? undefined : 204))
    const app = await started()
    await app.worker()
    await sendCallback(receiver.origin, { state: 'completed' })
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

    await sendCallback(`${receiver.origin}/done?token=hunter2hunter2`, { state: 'completed' })

    const [first, second] = await receiver.received(2)
    const status = await callbackThat('completed')
    expect(second?.headers['webhook-id']).to.equal(first?.headers['webhook-id'])
    expect(status.attempts.map(({ outcome }) => outcome)).to.deep.equal(['retrying', 'completed'])
    expect(status.attempts[0]?.error?.message).to.equal(`The callback to ${receiver.origin} was answered with 503.`)
    expect(JSON.stringify(status)).not.to.contain('hunter2')
  })

  it('is given up at once when the receiver refuses it, and never shows its query', async () => {
    const receiver = await openReceiver(scope(), () => 410)
    const app = await started()
    const worker = await app.worker()

    await sendCallback(`${receiver.origin}/secret-path?token=hunter2hunter2`, { state: 'completed' })

    const status = await callbackThat('failed')
    expect(receiver.requests).to.have.length(1)
    expect(status.error?.message).to.contain('answered with 410')
    expect(JSON.stringify(status) + worker.output).not.to.match(/hunter2|secret-path/)
  })

  it('is given up after the configured number of retries', async () => {
    const receiver = await openReceiver(scope(), (_count, response) => {
      response.writeHead(429, { 'retry-after': '0' }).end()
      return undefined
    })
    const app = await started({ ...CALLBACKS, callbacks: { ...CALLBACKS.callbacks, retries: 1 } })
    await app.worker()

    await sendCallback(receiver.origin, { state: 'completed' })

    await callbackThat('failed')
    expect(receiver.requests).to.have.length(2)
  })

  it('goes over TLS to a receiver whose authority the worker knows', async () => {
    const authority = makeAuthority(scope().folder(), 'tests')
    const receiver = await openReceiver(scope(), undefined, authority.sign('127.0.0.1', 'IP:127.0.0.1'))
    const app = await started()
    await app.worker({}, { NODE_EXTRA_CA_CERTS: authority.cert })

    await sendCallback(`${receiver.origin}/done`, { state: 'completed' })

    expect(payloadOf((await receiver.received(1))[0])).to.include({ status: 'completed' })
  })

  it('may be asked for only where the configuration names hosts', async () => {
    await started({ key: KEY })

    expect(() => acceptCallback('https://example.org/done')).to.throw('callbacks.hosts').with.property('code', 'CALLBACK_REFUSED')
  })

  it('cannot be asked for in a process that sends nothing', () => {
    expect(() => acceptCallback('https://example.org/done')).to.throw('withAsync').with.property('code', 'CALLBACK_REFUSED')
  })

  it('has a name that no task of an application can have', () => {
    const refused = (declare: () => unknown) => expect(declare).to.throw('errand.')
    refused(() => asyncTask(async function one(): Promise<void> {}, { name: 'errand.callback' }))
    refused(() => asyncTask(async function two(): Promise<void> {}, { aliases: ['errand.other'] }))
  })
})
