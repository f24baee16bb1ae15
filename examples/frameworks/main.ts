// cd examples/frameworks && node ../../build/examples/frameworks/main.js
// Orders and a waiting page in every framework, asked by somebody without scripts; one worker does the work of all.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { serve } from '@hono/node-server'
import { NestFactory } from '@nestjs/core'
import { start } from 'errand'
import { openTour } from '../postbox.js'
import { createExpressApp } from './express.js'
import { createFastifyApp } from './fastify.js'
import { createHonoApp } from './hono.js'
import { createHttpServer } from './http.js'
import { createKoaApp } from './koa.js'
import { ReportsModule } from './nest.js'

interface Opened {
  readonly origin: string
  readonly close: () => unknown
}

const LOCAL = { port: 0, host: '127.0.0.1' }
const SERVERS: Readonly<Record<string, () => Promise<Opened>>> = {
  Express: () => opened(createExpressApp().listen(0, '127.0.0.1')),
  Fastify: async () => {
    const app = await createFastifyApp()
    return { origin: await app.listen(LOCAL), close: () => app.close() }
  },
  Koa: () => opened(createKoaApp().listen(0, '127.0.0.1')),
  // without other options it serves HTTP/1
  Hono: () => opened(serve({ fetch: createHonoApp().fetch, port: 0, hostname: '127.0.0.1' }) as Server),
  NestJS: async () => {
    const app = await NestFactory.create(ReportsModule, { logger: ['error', 'warn'], forceCloseConnections: true })
    await app.listen(0, '127.0.0.1')
    return { origin: await app.getUrl(), close: () => app.close() }
  },
  'node:http': () => opened(createHttpServer().listen(0, '127.0.0.1')),
}

const ADA = { authorization: 'Bearer token-of-ada', accept: 'text/html' }

const tour = await openTour('frameworks')
const running = await start({ dataDir: tour.dataDir })
try {
  await running.ready
  for (const [name, open] of Object.entries(SERVERS)) {
    const { origin, close } = await open()
    const [made, page] = await Promise.all([theOrder(origin), throughThePage(`${origin}/report`)])
    console.log(`${name}: ${made} ${page}`)
    await close()
  }
} finally {
  await running.stop()
  await tour.close()
}

/** Places an order and waits for its end; answers where the client finds what was made. */
async function theOrder(origin: string): Promise<string> {
  const headers = { ...ADA, 'content-type': 'application/json' }
  const placed = await fetch(`${origin}/async/report/order`, { method: 'POST', headers, body: '{"context":{"year":2026}}', redirect: 'manual' })
  assert.equal(placed.status, 302)
  const made = await fetch(new URL(placed.headers.get('location') ?? '', origin), { headers: { ...ADA, prefer: 'wait=20' } })
  const { resource_url: resource } = (await made.json()) as { readonly resource_url: string } // as documented
  return new URL(resource).pathname
}

/** Starts the work and reloads the page until it leads to the result. */
async function throughThePage(page: string): Promise<string> {
  let response = await fetch(page, { method: 'POST', headers: ADA, body: new URLSearchParams({ year: '2026' }), redirect: 'manual' })
  assert.equal(response.status, 303)
  let location = ''
  while (response.status !== 200 || location.includes('/processing')) {
    location = response.headers.get('location') ?? location
    response = await fetch(new URL(location, page), { headers: ADA, redirect: 'manual' })
    await pause(20)
  }
  return response.text()
}

async function opened(server: Server): Promise<Opened> {
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // it listens on a TCP port
  const close = (): void => {
    server.closeAllConnections()
    server.close()
  }
  return { origin: `http://127.0.0.1:${port}`, close }
}
