// cd examples/fastify && node ../../build/examples/fastify/main.js
// A Fastify server, two orders, and what the worker knows of the requests that made them.
import assert from 'node:assert/strict'
import { start } from 'errand'
import { delivered, openTour } from '../postbox.js'
import { createApp } from './app.js'

const tour = await openTour('fastify')
const running = await start({ dataDir: tour.dataDir })
const app = await createApp()
try {
  const base = await app.listen({ port: 0, host: '127.0.0.1' })
  await running.ready

  const signedIn = { authorization: 'Bearer token-of-ada', 'x-branch': 'Graz' }
  const ada = await post(`${base}/orders`, { item: 'tea', count: 2 }, signedIn)
  const guest = await post(`${base}/orders`, { item: 'jam', count: 1 }, { 'x-branch': 'Wien' })
  assert.deepEqual([ada.status, guest.status], [202, 202])

  const letters = await delivered(2)
  assert.ok(letters.every(({ pid }) => pid !== process.pid))
  for (const { to, text } of letters.toSorted((a, b) => a.to.localeCompare(b.to))) console.log(`${to}: ${text}`)

  const echo = await post(`${base}/echo`, { hello: 'worker' }, {})
  console.log(`The worker saw the body ${await echo.text()}`)
} finally {
  await app.close()
  await running.stop()
  await tour.close()
}

function post(url: string, body: object, headers: Readonly<Record<string, string>>): Promise<Response> {
  return fetch(url, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) })
}
