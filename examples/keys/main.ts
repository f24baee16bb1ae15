// cd examples/keys && node ../../build/examples/keys/main.js
// Starts one task for a key, and asks by the key what became of it.
import assert from 'node:assert/strict'
import { background, checkStatusOrBegin, getOrRun, getProcessStatus, start, tasks } from 'errand'
import { delivered, openTour } from '../postbox.js'
import { print, reports } from './services/reports.js'

const tour = await openTour('keys')
const running = await start({ dataDir: tour.dataDir })
try {
  // the worker is still starting, so the first has not ended when the second call is made
  const task = await background(reports, { key: 'report 2026' }).yearly(2026)
  const same = await background(reports, { key: 'report 2026' }).yearly(2026) // it has not ended: none is started
  assert.deepEqual([same.id === task.id, same.isNew], [true, false])
  assert.deepEqual(await same.result(), await task.result())

  console.log(await getProcessStatus({ key: '/print/2026' }))
  const { text, taskId } = await checkStatusOrBegin(print, { args: ['2026.pdf'], key: '/print/2026' }) // starts, or says what is under way
  console.log(text)
  await tasks.get(taskId).result()
  const found = await getOrRun(print, { args: ['2026.pdf'], key: '/print/2026' }) // completed with its value, running, or started
  console.log(found.kind === 'completed' ? found.value : found.kind)
  console.log(`${(await delivered(2)).length} letters`)
} finally {
  await running.stop()
  await tour.close()
}
