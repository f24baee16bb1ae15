import { expect } from 'chai'
import { createServer } from 'node:net'
import { randomBytes } from 'node:crypto'
import { ErrandError, verifyCallback } from 'errand'
import { deliver, type Delivered } from '#src/orders/callback/deliver.js'
import { CallbackFailure } from '#src/orders/callback/callback-failure.js'
import type { CallbackSettings } from '#src/runtime/runtime.js'
import { makeAuthority } from '../kit/certificates.js'
import { openReceiver } from '../kit/receiver.js'
import { eachScope } from '../kit/temporary.js'

const SECRET = randomBytes(32)
const SETTINGS: CallbackSettings = { hosts: ['*:*'], allowPrivate: true, timeoutMs: 10_000, retries: 8, secrets: [SECRET] }

const call = (url: string, more: Partial<Delivered> = {}, settings: Partial<CallbackSettings> = {}): Promise<unknown> =>
  deliver({ url, id: 'one', body: '{"uuid":"1"}', nowMs: Date.now(), signal: new AbortController().signal, ...more }, { ...SETTINGS, ...settings }).then(
    () => 'accepted',
    (error: unknown) => error,
  )

async function failure(url: string, more: Partial<Delivered> = {}, settings: Partial<CallbackSettings> = {}): Promise<CallbackFailure> {
  const error = await call(url, more, settings)
  if (error instanceof CallbackFailure) return error
  throw new Error(`no failed callback: ${String(error)}`)
}

describe('one call of the receiver of a callback', () => {
  const scope = eachScope()

  it('posts the body with path and query, signed', async () => {
    const receiver = await openReceiver(scope())

    expect(await call(`${receiver.origin}/done?token=7`)).to.equal('accepted')

    const [request] = receiver.requests
    expect(request).to.include({ method: 'POST', url: '/done?token=7', body: '{"uuid":"1"}' })
    expect(request?.headers).to.include({ 'content-type': 'application/json', 'webhook-id': 'one', host: `127.0.0.1:${receiver.port}` })
    const verified = verifyCallback({ headers: request?.headers ?? {}, body: request?.body ?? '', secret: `whsec_${SECRET.toString('base64')}` })
    expect(verified).to.deep.include({ id: 'one', payload: { uuid: '1' } })
  })

  it('is accepted with every status of success', async () => {
    const receiver = await openReceiver(scope(), (count) => [200, 201, 202, 204][count - 1] ?? 500)

    for (let count = 0; count < 4; count++) expect(await call(receiver.origin)).to.equal('accepted')
    expect(receiver.requests).to.have.length(4)
  })

  it('may be made again after 5xx and 429, and never after another refusal', async () => {
    const statuses = [500, 503, 599, 429, 400, 401, 404, 408, 410, 422]
    const receiver = await openReceiver(scope(), (count) => statuses[count - 1] ?? 200)

    const passing: number[] = []
    for (const status of statuses) {
      const error = await failure(`${receiver.origin}/secret?token=hunter2`)
      expect(error.message).to.equal(`The callback to ${receiver.origin} was answered with ${status}.`)
      if (error.isPassing) passing.push(status)
    }
    expect(passing).to.deep.equal([500, 503, 599, 429])
  })

  it('follows no redirect', async () => {
    const inner = await openReceiver(scope())
    const receiver = await openReceiver(scope(), (_count, response) => {
      response.writeHead(307, { location: `${inner.origin}/inside` }).end()
      return undefined
    })

    const error = await failure(receiver.origin)

    expect(error).to.include({ isPassing: false }).with.property('message').that.contains('307, and redirects are not followed')
    expect(inner.requests).to.deep.equal([])
  })

  it('heeds how long the receiver wants to be left alone, up to a day', async () => {
    const waits = ['120', new Date(Date.now() + 60_000).toUTCString(), '9999999', 'soon', '-5']
    const receiver = await openReceiver(scope(), (count, response) => {
      response.writeHead(429, { 'retry-after': waits[count - 1] }).end()
      return undefined
    })

    const heeded: number[] = []
    for (const _ of waits) heeded.push((await failure(receiver.origin)).retryAfterMs)
    expect(heeded[0]).to.equal(120_000)
    expect(heeded[1]).to.be.within(1, 60_000)
    expect(heeded.slice(2)).to.deep.equal([24 * 3_600_000, 0, 0])
  })

  it('is accepted although the body of the answer never ends, and takes little of it', async () => {
    let sent = 0
    const receiver = await openReceiver(scope(), (_count, response) => {
      response.writeHead(200)
      const part = Buffer.alloc(64 * 1024)
      const more = (): void => {
        while (!response.destroyed && response.write(part)) sent += part.length
      }
      response.on('drain', more)
      more()
      return undefined
    })

    expect(await call(receiver.origin)).to.equal('accepted')
    expect(sent).to.be.lessThan(64 * 1024 * 1024)
  })

  it('ends after its time when the receiver says nothing, or its name is not found in time', async () => {
    const receiver = await openReceiver(scope(), () => undefined)
    const timeoutMs = 50

    expect(await failure(receiver.origin, {}, { timeoutMs })).to.include({ isPassing: true }).with.property('message').that.contains('no answer within 0.05 s')
    const find = (): Promise<never> => new Promise(() => {})
    expect(await failure('https://slow.example/', { find }, { timeoutMs })).to.include({ isPassing: true }).with.property('message').that.contains('no answer')
  })

  it('may be made again when nobody listens, or something else than a web server does', async () => {
    const other = createServer((socket) => socket.end('220 mail.example ESMTP\r\n'))
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    scope().defer(() => other.close())
    const address = other.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0

    expect(await failure('http://127.0.0.1:1/')).to.include({ isPassing: true }).with.property('message').that.contains('ECONNREFUSED')
    expect(await failure(`http://127.0.0.1:${port}/`)).to.include({ isPassing: true })
  })

  it('ends at once when the run is to end, and is no failure then', async () => {
    const receiver = await openReceiver(scope(), () => undefined)
    const run = new AbortController()
    const called = call(receiver.origin, { signal: run.signal })
    await receiver.received(1)
    const reason = new Error('the worker stops')

    run.abort(reason)

    expect(await called).to.equal(reason)
  })

  it('goes to the address that was looked up and checked, and asks for the name once', async () => {
    const receiver = await openReceiver(scope())
    let asked = 0
    const find = async (): Promise<readonly { address: string; family: number }[]> => {
      asked++
      return [{ address: asked === 1 ? '127.0.0.1' : '192.0.2.1', family: 4 }]
    }

    expect(await call(`http://hooks.example:${receiver.port}/`, { find })).to.equal('accepted')
    expect(asked).to.equal(1)
    expect(receiver.requests[0]?.headers.host).to.equal(`hooks.example:${receiver.port}`)
  })

  it('is refused for good when one of the addresses of its name is private', async () => {
    const receiver = await openReceiver(scope())
    for (const addresses of [['127.0.0.1'], ['1.1.1.1', '10.0.0.7'], ['::ffff:127.0.0.1'], ['fe80::1'], []]) {
      const find = async (): Promise<readonly { address: string; family: number }[]> => addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
      const error = await call(`https://hooks.example:${receiver.port}/`, { find }, { allowPrivate: false })

      expect(error, addresses.join()).to.be.instanceOf(ErrandError).with.property('code', 'CALLBACK_REFUSED')
    }
    expect(receiver.requests).to.deep.equal([])
  })

  it('is refused when the configuration no longer names its host', async () => {
    const receiver = await openReceiver(scope())

    expect(await call(receiver.origin, {}, { hosts: ['example.org'] })).to.have.property('code', 'CALLBACK_REFUSED')
    expect(receiver.requests).to.deep.equal([])
  })

  it('speaks TLS only with who can show that it is the host of the URL', async () => {
    const authority = makeAuthority(scope().folder(), 'nobody')
    const receiver = await openReceiver(scope(), undefined, authority.sign('hooks.example'))

    const error = await failure(`${receiver.origin}/`)

    expect(error).to.include({ isPassing: true }).with.property('message').that.match(/UNABLE_TO_VERIFY|SELF_SIGNED|ALTNAME/)
    expect(receiver.requests).to.deep.equal([])
  })
})
