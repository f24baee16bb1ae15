// cd examples/schedules && node ../../build/examples/schedules/main.js
// Tasks that run by themselves: two worker processes, and each firing runs once.
import assert from 'node:assert/strict'
import { schedules, start } from 'errand'
import { delivered, openTour } from '../postbox.js'
import { reports } from './services/reports.js'

const tour = await openTour('schedules')
const running = await start({ dataDir: tour.dataDir })
try {
  await running.ready
  await reports.weekly() // without waiting for Monday
  const letters = await delivered(8)

  const ticks = letters.filter(({ to }) => to === 'tick')
  assert.ok(ticks.length >= 3 && ticks.every(({ text }) => text === 'as Clock'))
  assert.ok(letters.some(({ to, text }) => to === 'greeting' && text === 'Hello Ada'))

  assert.ok(letters.some(({ to }) => to === 'board'))

  const found = await schedules.list()
  for (const { name, task, when } of found) console.log(`${name}: ${task}, ${when}`)
  const weekly = found.find(({ name }) => name === 'ReportService.weekly')
  assert.equal(weekly?.next?.getUTCDay(), 1)
} finally {
  await running.stop()
  await tour.close()
}
