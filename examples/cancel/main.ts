// cd examples/cancel && node ../../build/examples/cancel/main.js
// Cancels a task that runs, with the call that it made, and tasks that wait.
import assert from 'node:assert/strict'
import { background, on, start, tasks, withContext } from 'errand'
import { delivered, openTour } from '../postbox.js'
import { exports } from './services/exports.js'

const tour = await openTour('cancel')
const stopListening = on('queued', ({ task, delayMs }) => console.log(`${task} is queued for in ${delayMs} ms`))
const running = await start({ dataDir: tour.dataDir })
try {
  await running.ready
  const task = await background(exports).everything()
  await delivered(1)

  const { isCancelled, state, children } = await withContext({ user: { id: 7, name: 'Ada' } }, () => task.cancel({ reason: 'ordered twice' }))
  assert.deepEqual({ isCancelled, state, children }, { isCancelled: true, state: 'cancelled', children: 1 })
  const error = await task.result().catch((failure: unknown) => failure) // rejects with TASK_CANCELLED, in every process
  console.log(error instanceof Error ? error.message.replace(task.id, '<id>') : 'no error')
  const { cancellation } = await task.status()
  assert.deepEqual(cancellation, { by: '7', reason: 'ordered twice' })

  const later = background(exports, { delay: '1h', tags: ['nightly'] })
  await later.page(3)
  await later.page(4)
  const { cancelled } = await tasks.cancel({ tag: 'nightly' }, { reason: 'not tonight' })
  console.log(`${cancelled} of tonight`)

  const letters = await delivered(2)
  console.log(letters.map(({ text }) => text).join(', '))
} finally {
  stopListening()
  await running.stop()
  await tour.close()
}
