import { assert } from 'chai'
import { asyncTask } from 'errand'
import { registry } from '#src/core/registry.js'
import { resolveSchedule } from '#src/core/schedule/schedule.js'
import { StoredFirings } from '#src/runtime/schedule/firings.js'
import { recover } from '#src/runtime/schedule/recovery.js'
import { openMemoryStore } from '#src/store/memory.js'
import { FakeClock } from '../../kit/fake-clock.js'
import { keptLog } from '../../kit/rabbit-case.js'
import { eachScope, type Scope } from '../../kit/temporary.js'

let tasks = 0

/** A firing that a leader claimed and did not send, and the next leader. */
async function claimed(scope: Scope) {
  const clock = new FakeClock()
  const store = scope.use(openMemoryStore({ clock }))
  const name = `recovered-${++tasks}`
  asyncTask(async () => {}, { name })
  const task = registry.find(name)
  assert.isDefined(task)
  const plan = { ...resolveSchedule({ every: '1m' }), name, task }
  const firings = new StoredFirings(store, { service: 'shop', environment: 'test' })
  const firing = await firings.upcoming(plan, clock.now())
  assert.isDefined(firing)
  await clock.pass(60_000)
  assert.isTrue(await firings.claim(plan, firing, clock.now()))
  const sent: string[] = []
  const queue = { waiting: 0 }
  const send = async (_plan: unknown, { id }: { readonly id: string }): Promise<void> => {
    sent.push(id)
    queue.waiting++
  }
  const takeOver = async (): Promise<void> => {
    const end = recover({ plan, firings, clock, log: keptLog().log, send, areShared: true, waitingIn: async () => queue.waiting })
    scope.defer(end)
    await clock.pass(0) // it looks once
  }
  const start = (): Promise<unknown> =>
    store.record([{ kind: 'started', id: firing.id, at: clock.now(), run: { attempt: 1, startedAt: clock.now(), worker: { host: 'here', pid: 1 } } }])
  return { clock, firing, firings, sent, queue, takeOver, start }
}

describe('A leader that follows one that died', () => {
  const scope = eachScope()

  it('sends what that had claimed and not sent, once, under the same id', async () => {
    const { clock, firing, sent, takeOver } = await claimed(scope())

    await takeOver()
    await clock.pass(40_000)

    assert.deepEqual(sent, [firing.id])
  })

  it('sends nothing that waits in its queue, however long that takes', async () => {
    const { clock, sent, queue, takeOver, start } = await claimed(scope())
    queue.waiting = 7

    await takeOver()
    await clock.pass(5_000)
    await start()
    queue.waiting = 0
    await clock.pass(40_000)

    assert.deepEqual(sent, [])
  })

  it('sends nothing that was left out on purpose', async () => {
    const { clock, firing, firings, sent, takeOver } = await claimed(scope())
    await firings.forget(firing, clock.now())

    await takeOver()
    await clock.pass(40_000)

    assert.deepEqual(sent, [])
  })

  it('sends nothing that begins to run between two looks', async () => {
    const { clock, sent, takeOver, start } = await claimed(scope())

    await takeOver()
    await clock.pass(500)
    await start()
    await clock.pass(40_000)

    assert.deepEqual(sent, [])
  })
})
