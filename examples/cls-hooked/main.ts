// cd examples/cls-hooked && node ../../build/examples/cls-hooked/main.js
// An application that keeps its request data in cls-hooked finds the same values, in the same namespace, in the worker.
import assert from 'node:assert/strict'
import express from 'express'
import type { AddressInfo } from 'node:net'
import { start } from 'errand'
import { requestContext } from 'errand/express'
import { delivered, openTour } from '../postbox.js'
import { requestData } from './request-data.js'
import { audit } from './services/audit.js'

const tour = await openTour('cls-hooked')
const running = await start({ dataDir: tour.dataDir })
const server = createApp().listen(0, '127.0.0.1')
try {
  await running.ready
  const { port } = server.address() as AddressInfo // it listens on a TCP port
  const empty = (number: number) => fetch(`http://127.0.0.1:${port}/baskets/${number}`, { method: 'DELETE' })
  const answers = await Promise.all([empty(1), empty(2), empty(3)])
  assert.deepEqual(answers.map(({ status }) => status), [202, 202, 202])

  const letters = await delivered(3)
  assert.ok(letters.every(({ pid }) => pid !== process.pid))
  for (const { text } of letters.toSorted((a, b) => a.text.localeCompare(b.text))) console.log(text)
} finally {
  server.closeAllConnections()
  server.close()
  await running.stop()
  await tour.close()
}

function createApp(): express.Express {
  const app = express()
  app.use(requestContext({ user: () => ({ id: 7, name: 'Ada' }) }))
  app.delete('/baskets/:number', (req, res, next) => {
    requestData.run(() => {
      requestData.set('basket', { number: Number(req.params.number), name: `no. ${req.params.number}` })
      audit.record('emptied').then(() => res.sendStatus(202), next)
    })
  })
  return app
}
