// cd examples/dead-letters && node ../../build/examples/dead-letters/main.js
// Three calls fail for good, are looked at, and run after all: as the people who made them.
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { deadLetters, start, withContext, type DeadLetter } from 'errand'
import { delivered, openTour } from '../postbox.js'
import { invoices, openBank } from './services/invoices.js'

const tour = await openTour('dead-letters')
const running = await start({ dataDir: tour.dataDir })
try {
  await running.ready
  await withContext({ user: { id: 7, name: 'Ada' } }, () => invoices.charge(1, 120))
  await withContext({ user: { id: 7, name: 'Ada' } }, () => invoices.charge(2, 80))
  await withContext({ user: { id: 8, name: 'Bob' } }, () => invoices.charge(3, 5))
  await deadAre(3)
  await lookAtThem()
  await sendThemAgain()
} finally {
  await running.stop()
  await tour.close()
}

async function lookAtThem(): Promise<void> {
  const letters = await deadLetters.list({ task: 'InvoiceService.charge', since: '1h' })
  for (const { reason, attempt, userId } of letters.toSorted((a, b) => Number(a.userId) - Number(b.userId))) {
    console.log(`user ${userId}: ${reason.code} after ${attempt} runs, ${reason.text}`)
  }

  const [letter] = await deadLetters.list({ user: 8 })
  assert.ok(letter !== undefined)
  assert.deepEqual(letter.argumentTypes, ['number', 'number']) // never the values
  assert.deepEqual(letter.history.map(({ attempt, message }) => `${attempt}: ${message}`), ['1: the bank is closed', '2: the bank is closed'])
  const { body } = await deadLetters.get(letter.id) // the message, byte by byte
  assert.equal(body.length, letter.size)
}

async function sendThemAgain(): Promise<void> {
  assert.deepEqual(await deadLetters.discard({ user: 8 }), { discarded: 1 }) // gone for good

  openBank() // what was wrong is mended
  const { replayed } = await deadLetters.replay({ task: 'InvoiceService.charge' }, { dryRun: true })
  console.log(`${replayed} would be replayed`)
  await deadLetters.replay({ task: 'InvoiceService.charge' })

  const letters = await delivered(2)
  for (const { to, text } of letters.toSorted((a, b) => a.text.localeCompare(b.text))) console.log(`${to}: ${text}`)
  await deadAre(0)
}

async function deadAre(count: number): Promise<readonly DeadLetter[]> {
  for (;;) {
    const letters = await deadLetters.list()
    if (letters.length === count) return letters
    await pause(20)
  }
}
