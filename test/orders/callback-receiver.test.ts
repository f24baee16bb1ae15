import { expect } from 'chai'
import express from 'express'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { randomBytes } from 'node:crypto'
import { ErrandError, verifyCallback } from 'errand'
import { deliver } from '#src/orders/callback/deliver.js'
import { eachScope } from '../kit/temporary.js'

const bytes = randomBytes(32)
const secret = `whsec_${bytes.toString('base64')}`

function receiver(done: (payload: unknown) => void): express.Express {
  const seen = new Set<string>()
  const app = express()
  app.post('/order-done', express.text({ type: 'application/json' }), (req, res) => {
    try {
      const { id, payload } = verifyCallback({ headers: req.headers, body: req.body, secret })
      if (!seen.has(id)) done(payload)
      seen.add(id)
      res.sendStatus(204)
    } catch (error) {
      if (!(error instanceof ErrandError) || error.code !== 'CALLBACK_FORGED') throw error
      res.sendStatus(400)
    }
  })
  return app
}

describe('a receiver of callbacks as the documentation shows it', () => {
  const scope = eachScope()

  it('takes each genuine callback once, and answers 400 to forged ones', async () => {
    const told: unknown[] = []
    const server = createServer(receiver((payload) => told.push(payload))).listen(0, '127.0.0.1')
    await once(server, 'listening')
    scope().defer(() => server.close())
    const address = server.address()
    const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}/order-done`
    const signal = new AbortController().signal
    const call = (id: string, key = bytes): Promise<void> =>
      deliver({ url, id, body: JSON.stringify({ uuid: id }), nowMs: Date.now(), signal }, { hosts: ['*:*'], allowPrivate: true, timeoutMs: 10_000, retries: 0, secrets: [key] })

    await call('one')
    await call('one')
    await call('two')
    const forged = await call('three', randomBytes(32)).catch((error: unknown) => error)

    expect(told).to.deep.equal([{ uuid: 'one' }, { uuid: 'two' }])
    expect(String(forged)).to.contain('answered with 400')
  })
})
