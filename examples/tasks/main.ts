// node build/examples/tasks/main.js
// The ways to write and to call a task. Bodies run in this process, each through a sealed message and a re-created context.
import assert from 'node:assert/strict'
import { background, enqueue, original, perform, withContext } from 'errand'
import { startTesting } from 'errand/testing'
import { branch, CardRefused, journal, Line, Money, sendSms, shop, ShopService, showBranch, timings } from './services.js'

const ADA = { user: { id: 7, name: 'Ada' }, headers: { authorization: 'Bearer token-of-ada' } }
const testing = await startTesting({ instances: [shop] })
try {
  await withContext(ADA, tour)
} finally {
  await testing.stop()
}
console.log('Every task did what the page about tasks says.')

async function tour(): Promise<void> {
  await plainCalls()
  await handles()
  await failures()
  await aroundAndCarried()
  await asTheCaller()
}

async function plainCalls(): Promise<void> {
  await shop.confirm('ada@example.org') // the message is safe
  const price = await shop.price([new Line('tea', 2)]) // the worker has answered
  await sendSms('+43 1 234', 'on its way')
  await ShopService.tidy()
  await shop.place('ada@example.org')

  assert.equal(String(price), '1250')
  await happened('confirmed to ada@example.org for Ada', '2 x tea', 'sendSms: +43 1 234, on its way', 'tidied')
  await happened('placed', 'confirmed to ada@example.org for Ada')
  assert.ok(testing.calls.some(({ task }) => task === 'Shop.place'))
}

async function handles(): Promise<void> {
  const handle = await background(shop, { delay: '20ms', priority: 9 }).price([new Line('jam', 1)])
  const price = await handle.result({ timeout: '10s' }) // or not at all

  const confirmed = await enqueue(() => shop.confirm('eve@example.org'), { queue: 'mail' })
  const texted = await perform(sendSms, '+43 1 567', 'hello') // a task function chosen at run time

  const here = await original(shop, 'price')([new Line('salt', 3)]) // the body, here and now; nothing is sent

  assert.equal(String(price), String(here))
  assert.deepEqual([handle.task, confirmed.task, texted.task], ['ShopService.price', 'ShopService.confirm', 'sendSms'])
  assert.deepEqual(testing.calls.slice(-3).map(({ queue }) => queue), ['default', 'mail', 'sms'])
  await happened('1 x jam', 'confirmed to eve@example.org for Ada', 'sendSms: +43 1 567, hello', '3 x salt')
}

async function failures(): Promise<void> {
  const charged = await background(shop).charge(new Money(990n))
  await charged.result()
  await happened('charged 990 at attempt 2')

  const refused = await background(shop).charge(new Money(0n))
  await assert.rejects(refused.result(), (error) => error instanceof Error && error.message === 'nothing to pay')
  await testing.idle()
  const last = testing.failures.at(-1)
  assert.ok(last?.error instanceof CardRefused && last.data.status === 'failed' && last.data.attempt === 1)
}

async function aroundAndCarried(): Promise<void> {
  await branch.run('Graz', () => showBranch())
  await happened('in Graz')
  assert.ok(timings.some((line) => line.startsWith('showBranch, attempt 1')))
}

async function asTheCaller(): Promise<void> {
  const real = globalThis.fetch
  globalThis.fetch = async (_input, init) => new Response(new Headers(init?.headers).get('authorization')) // stands for the network
  try {
    assert.equal(await shop.invoices(), 'Bearer token-of-ada')
  } finally {
    globalThis.fetch = real
  }
}

/** Waits for the tasks, then looks for these lines, each once, in any order. */
async function happened(...lines: readonly string[]): Promise<void> {
  await testing.idle()
  for (const line of lines) {
    const at = journal.indexOf(line)
    assert.ok(at >= 0, `the journal has no "${line}": ${journal.join('; ')}`)
    journal.splice(at, 1)
  }
}
