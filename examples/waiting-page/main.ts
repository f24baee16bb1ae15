// cd examples/waiting-page && node ../../build/examples/waiting-page/main.js
// An Express server with pages behind which tasks work, and what a browser and a program see of them. With "serve" it stays open to be
// looked at: http://localhost:3000/report
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { start } from 'errand'
import type { Standing } from 'errand/page'
import { openTour } from '../postbox.js'
import { createApp } from './app.js'

const isServing = process.argv.includes('serve')
const tour = await openTour('waiting-page')
if (isServing) process.env['MONTH_MS'] = '3000'
const running = await start({ dataDir: tour.dataDir })
const server = createApp().listen(isServing ? 3000 : 0, '127.0.0.1')
try {
  await running.ready
  if (isServing) await once(process, 'SIGINT')
  else await visit()
} finally {
  server.closeAllConnections()
  server.close()
  await running.stop()
  await tour.close()
}

async function visit(): Promise<void> {
  const page = await ask('/report', { headers: { 'accept-language': 'de' } })
  console.log(/<h1>[^<]+/.exec(await page.text())?.[0])

  const begun = await ask('/report', { method: 'POST', body: new URLSearchParams({ year: '2026' }) })
  const processing = begun.headers.get('location') ?? ''
  console.log(begun.status, processing.replace(/=.*/, '=<id>'))
  const result = await ended(processing)
  console.log(await (await ask(result)).text())
  console.log((await ask(result, { headers: { authorization: '' } })).status, 'for anybody else')

  const invoice = await startBy('/invoice', { number: '17' })
  const csv = await ask(await ended(`/invoice/processing?process_id=${invoice}`))
  console.log(csv.headers.get('content-disposition'), csv.headers.getSetCookie()[0])
  console.log((await ask('/invoice', { method: 'POST', body: new URLSearchParams({ number: 'x' }) })).status)

  const archive = await startBy('/archive')
  const rows = await ask(await ended(`/archive/processing?process_id=${archive}`))
  const length = Number(rows.headers.get('content-length'))
  assert.equal((await rows.text()).length, length)
  console.log(`${length} bytes were streamed`)
}

/** What a program does: it is told the id, and asks how the process stands. */
async function startBy(view: string, form: Readonly<Record<string, string>> = {}): Promise<string> {
  const response = await ask(view, { method: 'POST', headers: { accept: 'application/json' }, body: new URLSearchParams(form) })
  assert.equal(response.status, 202)
  const { process_id: id } = (await response.json()) as Standing
  return id
}

/** Where the result is, once it is there. */
async function ended(processing: string): Promise<string> {
  for (;;) {
    const response = await ask(`${processing}&output_json=1`)
    const { completed, progress_message: message } = (await response.json()) as Standing
    if (completed === true) return processing.replace('/processing', '/result')
    assert.equal(completed, false, message)
    await pause(20)
  }
}

interface Asked {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: URLSearchParams
}

/** Nobody is signed in here but Ada. */
async function ask(path: string, { headers = {}, ...init }: Asked = {}): Promise<Response> {
  // a server that listens on TCP has a port
  const { port } = server.address() as AddressInfo
  return fetch(`http://127.0.0.1:${port}${path}`, { ...init, redirect: 'manual', headers: { authorization: 'Bearer token-of-ada', ...headers } })
}
