import { expect } from 'chai'
import { randomBytes } from 'node:crypto'
import { ErrandError, verifyCallback, type ReceivedCallback } from 'errand'
import { callbackSecretOf, readCallbackSecret } from '#src/core/seal/callback-secret.js'
import { generateKey } from '#src/core/seal/key-ring.js'
import { signatureOf } from '#src/orders/callback/signature.js'

const SECRET = `whsec_${randomBytes(32).toString('base64')}`
const NOW = Date.UTC(2026, 4, 1)
const bytesOf = (secret: string): Buffer => readCallbackSecret(secret) ?? Buffer.alloc(0)

function received(secrets: readonly string[] = [SECRET], sentAt = NOW): ReceivedCallback & { headers: Record<string, string> } {
  const parts = { id: 'one', timestamp: String(sentAt / 1000), body: '{"uuid":"ü"}' }
  const headers = { 'webhook-id': parts.id, 'webhook-timestamp': parts.timestamp, 'webhook-signature': signatureOf(parts, secrets.map(bytesOf)) }
  return { headers, body: parts.body, secret: SECRET, now: NOW }
}

function refusal(given: ReceivedCallback): string {
  try {
    return `accepted ${verifyCallback(given).id}`
  } catch (error) {
    if (error instanceof ErrandError && error.code === 'CALLBACK_FORGED') return error.message
    throw error
  }
}

describe('the signature of a callback', () => {
  it('is that of the example in the Standard Webhooks specification', () => {
    const secret = bytesOf('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')
    const parts = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: '1614265330', body: '{"test": 2432232314}' }

    expect(signatureOf(parts, [secret])).to.equal('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
  })

  it('is accepted, with the headers of fetch or of Node, and a body of text or bytes', () => {
    const given = received()

    expect(verifyCallback(given)).to.deep.equal({ id: 'one', sentAt: new Date(NOW), payload: { uuid: 'ü' } })
    expect(refusal({ ...given, headers: new Headers(given.headers), body: Buffer.from('{"uuid":"ü"}') })).to.equal('accepted one')
    expect(refusal({ ...given, headers: { 'Webhook-Id': ['one'], 'Webhook-Timestamp': given.headers['webhook-timestamp'], 'Webhook-Signature': given.headers['webhook-signature'] } })).to.equal('accepted one')
  })

  it('is refused when anything was changed that it covers', () => {
    const given = received()
    const { headers } = given
    expect(refusal({ ...given, body: '{"uuid":"u"}' })).to.contain('no signature fits')
    expect(refusal({ ...given, headers: { ...headers, 'webhook-id': 'two' } })).to.contain('no signature fits')
    expect(refusal({ ...given, headers: { ...headers, 'webhook-timestamp': String(NOW / 1000 + 1) } })).to.contain('no signature fits')
    expect(refusal({ ...given, secret: `whsec_${randomBytes(32).toString('base64')}` })).to.contain('no signature fits')
    for (const signature of ['', 'v1,', 'v1', 'v1,AAAA', `v2${(headers['webhook-signature'] ?? '').slice(2)}`, `v1a,${(headers['webhook-signature'] ?? '').slice(3)}`]) {
      expect(refusal({ ...given, headers: { ...headers, 'webhook-signature': signature } }), signature).to.contain('no signature fits')
    }
  })

  it('is refused when one of its headers is missing or no number', () => {
    const given = received()
    for (const name of ['webhook-id', 'webhook-timestamp', 'webhook-signature']) {
      const { [name]: _gone, ...headers } = given.headers
      expect(refusal({ ...given, headers }), name).to.contain('missing')
    }
    expect(refusal({ ...given, headers: { ...given.headers, 'webhook-timestamp': '1e9' } })).to.contain('no number')
  })

  it('is refused when it is older than five minutes, or from a clock that is as far ahead', () => {
    expect(refusal(received([SECRET], NOW - 300_000))).to.equal('accepted one')
    expect(refusal(received([SECRET], NOW - 301_000))).to.contain('too long ago')
    expect(refusal(received([SECRET], NOW + 301_000))).to.contain('too long ago')
    expect(refusal({ ...received([SECRET], NOW - 301_000), tolerance: '10m' })).to.equal('accepted one')
  })

  it('is accepted with the old and the new secret while one is replaced', () => {
    const old = `whsec_${randomBytes(24).toString('base64')}`

    expect(refusal(received([old, SECRET]))).to.equal('accepted one')
    expect(refusal({ ...received([old]), secret: [SECRET, old] })).to.equal('accepted one')
  })

  it('is made with a secret that each sealing key has for itself', () => {
    const key = generateKey()

    expect(callbackSecretOf(key)).to.equal(callbackSecretOf(key)).and.match(/^whsec_[A-Za-z0-9+/]{43}=$/)
    expect(callbackSecretOf(key)).not.to.equal(callbackSecretOf(generateKey()))
    expect(bytesOf(callbackSecretOf(key)).toString('base64')).not.to.equal(key.split(':')[1])
  })

  it('is refused without a body, and with the way out where a parser was there before', () => {
    for (const body of [undefined, null]) {
      expect(() => verifyCallback({ ...received(), body: body as unknown as string })).to.throw(ErrandError, 'no body').with.property('code', 'CALLBACK_FORGED')
    }
    const parsed = { uuid: 'a' } as unknown as string
    expect(() => verifyCallback({ ...received(), body: parsed })).to.throw(ErrandError, 'express.text').with.property('code', 'OPTION_INVALID')
  })

  it('is not asked for with a secret that is none', () => {
    for (const secret of ['', 'hunter2', 'whsec_', 'whsec_AAAA', `whsec_${randomBytes(65).toString('base64')}`]) {
      expect(() => verifyCallback({ ...received(), secret }), secret).to.throw(ErrandError, 'whsec_').with.property('code', 'OPTION_INVALID')
    }
  })
})
