// cd examples/states && node ../../build/examples/states/main.js
// Asks where tasks stand: by their handles, by their ids, and by a search.
import assert from 'node:assert/strict'
import { background, ErrandError, start, tasks, withContext, type TaskState } from 'errand'
import { openTour } from '../postbox.js'
import { reports } from './services/reports.js'

const tour = await openTour('states')
const running = await start({ dataDir: tour.dataDir })
try {
  await running.ready
  const task = await withContext({ user: { id: 7, name: 'Ada' } }, () => background(reports, { tags: ['2026'] }).yearly(2026, ['May', 'June']))

  const seen = new Set<TaskState>()
  for await (const { state, progress } of task.watch()) {
    seen.add(state)
    assert.ok(progress.value === true || Number(progress.value) <= 100)
  }
  assert.ok(seen.has('completed'))

  const { state, attempt, attempts, owner, tags } = await tasks.get(task.id).status() // by its id, in any process
  console.log(`${state} after ${attempt} run, for ${owner}, ${tags.join()}, ${attempts[0]?.outcome}`)
  const report = await tasks.get(task.id).result()
  assert.deepEqual(report, { year: 2026, pages: 2 })
  assert.deepEqual(await task.progress(), { value: 100, data: { step: 'binding' } })

  const mine = await tasks.search({ owner: '7', states: ['completed'] })
  assert.deepEqual(mine.tasks.map(({ id }) => id), [task.id])

  const secret = await background(reports).password()
  console.log(await secret.result())
  const again = await tasks.get(secret.id).result().catch((error: unknown) => error)
  console.log(again instanceof ErrandError ? again.code : 'read twice')

  const failed = await background(reports).rates()
  const error = await tasks.get(failed.id).result().catch((failure: unknown) => failure)
  console.log(error instanceof Error ? `${error.message} ${String(error.cause)}` : 'no error')
} finally {
  await running.stop()
  await tour.close()
}
