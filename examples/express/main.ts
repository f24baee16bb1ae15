// cd examples/express && node ../../build/examples/express/main.js
// An Express server, three invitations, and who they are from when the worker sends them.
import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { start, withContext } from 'errand'
import { delivered, openTour } from '../postbox.js'
import { createApp } from './app.js'
import { mail } from './services/mail.js'

const ADA = { authorization: 'Bearer token-of-ada', 'accept-language': 'de-AT', 'x-tenant': 'acme', cookie: 'session=1' }

const tour = await openTour('express')
const running = await start({ dataDir: tour.dataDir })
const server = createApp().listen(0, '127.0.0.1')
try {
  await running.ready

  assert.equal(await post('/invitations', 'eve@example.org', ADA), 202)
  assert.equal(await post('/invitations', 'joe@example.org', { 'x-tenant': 'acme' }), 202)
  assert.equal(await post('/invitations/by-support', 'kim@example.org', ADA), 202)
  await withContext({ user: { id: 2, name: 'The nightly script' }, tenant: 'acme' }, () => mail.invite('lou@example.org'))

  const letters = await delivered(4)
  assert.ok(letters.every(({ pid }) => pid !== process.pid))
  for (const { to, text } of letters.toSorted((a, b) => a.to.localeCompare(b.to))) console.log(`${to}: ${text}`)

  const origin = await fetch(`${base()}/origin?why=tour`, { headers: { ...ADA, 'x-request-id': 'tour-1' } })
  console.log(await origin.text())
} finally {
  server.closeAllConnections()
  server.close()
  await running.stop()
  await tour.close()
}

async function post(path: string, email: string, headers: Readonly<Record<string, string>>): Promise<number> {
  const response = await fetch(base() + path, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify({ email }),
  })
  return response.status
}

function base(): string {
  const { port } = server.address() as AddressInfo // it listens on a TCP port
  return `http://127.0.0.1:${port}`
}
