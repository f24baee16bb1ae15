import { expect } from 'chai'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { background, tasks } from 'errand'
import { newId } from '#src/core/clock.js'
import { appState } from '#src/runtime/app.js'
import { untilNotBusy } from '#src/sqlite/lock.js'
import { openDatabase } from '#src/sqlite/open.js'
import * as work from '../fixtures/states/tasks.js'
import { StatesApp } from '../kit/states-app.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

describe('A run that begins with the claim of its message', function () {
  this.timeout(120_000)
  const scope = eachScope()

  it('begins all the same when states cannot be written any more, as after the update of a newer release', async () => {
    const app = new StatesApp(scope())
    await app.start()
    await app.worker()
    await background(work).note(app.file)
    await app.ran(1)

    const folder = scope().file('data')
    const file = readdirSync(folder).find((name) => name.endsWith('.sqlite')) ?? ''
    const db = await openDatabase({ file: join(folder, file) })
    scope().defer(() => db.close())
    await untilNotBusy(() => db.exec('ALTER TABLE store_task RENAME COLUMN run TO run_of_later'))
    await background(work).note(app.file)

    await app.ran(2)
    await until('an empty queue', async () => (await app.waiting()) === 0)
  })

  it('is taken back where the message turns out to be none of its task', async () => {
    const app = new StatesApp(scope())
    await app.start()
    await app.worker()
    const state = appState()
    if (state.kind !== 'on') throw new Error('not started')
    const { tracking, broker } = state.runtime
    const id = newId()
    await tracking?.store.record([{ kind: 'announced', id, task: 'states.note', queue: 'default', createdAt: Date.now() }])

    await broker.publish({ id, queue: 'default', body: Buffer.from('sealed with another key') })
    await until('the dead letter', async () => (await broker.count('default')).dead === 1)

    await app.reached(id, 'queued')
    const status = await tasks.get(id).status()
    expect(status.attempts.map(({ outcome }) => outcome)).to.deep.equal(['released'])
  })
})
