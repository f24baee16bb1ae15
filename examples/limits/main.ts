// cd examples/limits && node ../../build/examples/limits/main.js
// Limits that hold over two worker processes: one run at a time for each account, ten starts a second for a provider.
import assert from 'node:assert/strict'
import { start } from 'errand'
import { delivered, openTour } from '../postbox.js'
import { sync } from './services/sync.js'

const ACCOUNTS = ['ada', 'bob', 'eve']
const tour = await openTour('limits')
const running = await start({ dataDir: tour.dataDir })
try {
  await running.ready
  for (const account of ACCOUNTS) for (const step of [1, 2, 3]) await sync.account(account, step)
  await sync.push('closed')
  await sync.push('open')

  const letters = await delivered(2 * 3 * ACCOUNTS.length + 1)
  for (const account of ACCOUNTS) {
    const texts = letters.filter(({ to }) => to === account).map(({ text }) => text.split(' ').at(-1))
    assert.deepEqual(texts, ['begins', 'ends', 'begins', 'ends', 'begins', 'ends'])
  }
  assert.deepEqual(letters.filter(({ to }) => to === 'provider').map(({ text }) => text), ['open'])
  console.log('No account had two runs at once.')
} finally {
  await running.stop()
  await tour.close()
}
