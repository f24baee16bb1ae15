// cd examples/orders && node ../../build/examples/orders/main.js
// Places orders by HTTP, follows them, and sees what their handlers did.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { start } from 'errand'
import { delivered, openTour } from '../postbox.js'
import { createShop } from './server.js'

const ADA = { authorization: 'Bearer token-of-ada' }

const tour = await openTour('orders')
const running = await start({ dataDir: tour.dataDir })
const server = createShop().listen(0, '127.0.0.1')
try {
  await once(server, 'listening')
  const good = await place('POST', 2026)
  const bad = await place('POST', 2027)
  await place('DELETE', 2025)

  for (const address of [good, bad]) console.log(await follow(address))
  assert.equal((await fetch(good)).status, 404) // somebody else's

  const letters = await delivered(5)
  for (const { to, text } of letters.toSorted((a, b) => a.text.localeCompare(b.text))) console.log(`${to}: ${text}`)
} finally {
  server.closeAllConnections()
  server.close()
  await running.stop()
  await tour.close()
}

async function place(method: string, year: number): Promise<string> {
  const response = await fetch(`${base()}/async/report/order`, {
    method,
    headers: { ...ADA, 'content-type': 'application/json' },
    body: JSON.stringify({ context: { year } }),
    redirect: 'manual',
  })
  return base() + (response.headers.get('location') ?? '')
}

async function follow(address: string): Promise<string> {
  const response = await fetch(address, { headers: { ...ADA, prefer: 'wait=30' } })
  const { status, message, resource_url: url } = (await response.json()) as Record<string, string> // as the documents say
  return `${response.status} ${status}: ${message} ${url?.replace(/:\d+\//, ':<port>/')}`.trim()
}

function base(): string {
  const { port } = server.address() as AddressInfo // it listens on a TCP port
  return `http://127.0.0.1:${port}`
}
