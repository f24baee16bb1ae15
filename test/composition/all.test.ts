import { assert } from 'chai'
import { all, enqueue, ErrandError, tasks, withContext } from 'errand'
import { startTesting, type Testing } from 'errand/testing'
import { appState, setAppState } from '#src/runtime/app.js'
import { office } from './office.js'
import { rejection } from './rejection.js'

const ada = { id: 7, name: 'Ada' }

describe('a group of calls', () => {
  let testing: Testing

  beforeEach(async () => {
    office.seen.length = 0
    testing = await startTesting({ instances: [office] })
  })
  afterEach(() => testing.stop())

  it('is followed by one call with the results in the order of the members, however they ended', async () => {
    const total = await withContext({ user: ada }, () =>
      all([() => enqueue(() => office.double(1), { delay: 0.1 }), () => office.double(2), () => office.report(2026), () => office.tell('no result')], (results) => office.echo(results)),
    )

    const results = await total.result()
    assert.deepEqual([results[0], results[1], results[2].year, results[3]], [2, 4, 2026, undefined])
    assert.deepEqual(office.tasks().at(-1), 'echo')
    assert.deepEqual(office.seen.at(-1)?.user, ada)
    assert.equal(await total.members[1].result(), 4)
  })

  it('is followed once, also where all members end at the same moment', async () => {
    const counts = Array.from({ length: 20 }, (_, count) => count)
    const totals = await Promise.all(counts.map((group) => all(counts.map((count) => () => office.double(count + group)), (doubles) => office.sum(doubles))))
    await testing.idle()

    assert.equal(office.tasks().filter((task) => task === 'sum').length, totals.length)
    assert.deepEqual(await Promise.all(totals.map((total) => total.result())), counts.map((group) => 2 * (190 + 20 * group)))
  })

  it('fails as Promise.all does with the first member that fails for good, and lets the others go on', async () => {
    const total = await all([() => office.double(1), () => office.refuse('sold out'), () => office.double(2)], (counts) => office.sum(counts))

    const error = await total.result().then(
      () => assert.fail('it did not reject'),
      (reason: unknown) => reason,
    )
    assert.instanceOf(error, TypeError)
    assert.include(error, { message: 'sold out' })
    await testing.idle()
    assert.sameMembers([...office.tasks()], ['double', 'refuse', 'double'])
    assert.equal((await total.status()).state, 'failed')
  })

  it('is cancelled with what follows it', async () => {
    const hundred = Array.from({ length: 100 }, (_, count) => () => enqueue(() => office.double(count), { delay: 0.3 }))
    const total = await all(hundred, (counts) => office.sum(counts))
    const { isCancelled, children } = await total.cancel({ reason: 'closed' })
    await testing.idle()

    assert.deepEqual({ isCancelled, children }, { isCancelled: true, children: 100 })
    assert.deepEqual(office.seen, [])
    assert.include(await rejection(total.result()), { code: 'TASK_CANCELLED' })
    assert.equal((await tasks.search({ parentId: total.id, states: ['cancelled'], limit: 500 })).tasks.length, 100)
  })

  it('is cancelled where a member is, and tells what follows in turn', async () => {
    const members = [() => enqueue(() => office.double(1), { delay: 0.1 }), () => office.double(2)] as const
    const total = await all(members, (counts) => enqueue(() => office.sum(counts), { onFailed: (error) => office.tell(error) }))
    await total.members[0].cancel()
    await testing.idle()

    assert.equal((await total.status()).state, 'cancelled')
    assert.deepEqual(office.tasks(), ['double'])
  })

  it('fails where a result was not kept for long enough, and says so', async () => {
    const total = await all([() => office.brief(), () => enqueue(() => office.double(2), { delay: 0.1 })], (counts) => office.sum(counts))

    const error = await rejection(total.result())
    assert.include(error, { code: 'RESULT_UNAVAILABLE' })
    assert.include(error.message, 'keepCompleted')
  })

  it('is not lost when it could not be written down that its last member completed', async () => {
    const state = appState()
    const tracking = state.kind === 'on' ? state.runtime.tracking : undefined
    const store = tracking?.store ?? assert.fail('there is no store')
    const record = store.record.bind(store)
    let isLost = false
    store.record = async (changes) => {
      if (isLost || !changes.some(({ kind }) => kind === 'completed')) return record(changes)
      isLost = true
      throw new ErrandError('STORE_UNREACHABLE', 'The store of this test is away.')
    }
    const total = await all([() => office.double(1)], (counts) => office.sum(counts))

    assert.equal(await total.result(), 2)
    assert.deepEqual(office.tasks(), ['double', 'double', 'sum'])
  })

  it('may be empty', async () => {
    const total = await all([], (counts) => office.sum(counts))

    assert.equal(await total.result(), 0)
  })

  it('runs here, in order, where calls run where they are made', async () => {
    setAppState({ kind: 'off' })
    const total = await all([() => office.double(1), () => office.double(2)], (counts) => office.sum(counts))
    const failed = await all([() => office.double(1), () => office.refuse('sold out')], (counts) => office.sum(counts))

    assert.equal(await total.result(), 6)
    assert.equal(await total.members[1].result(), 4)
    assert.match(String(await failed.result().catch((error: unknown) => error)), /sold out/)
  })

  it('is refused where nobody could tell when all have ended, or it would have to be sent by a worker', async () => {
    const refused = [
      () => all([() => office.once()], (values) => office.echo(values)),
      () => all([() => office.untracked()], (values) => office.echo(values)),
      () => enqueue(() => office.double(1), { then: (two) => all([() => office.double(two)], (values) => office.echo(values)) }),
    ]
    for (const call of refused) assert.include(await rejection(call()), { code: 'CALL_INVALID' })
    assert.deepEqual(testing.calls, [])
  })
})
