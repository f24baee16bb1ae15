import { assert } from 'chai'
import { chain, enqueue, tasks, withContext } from 'errand'
import { startTesting, type Testing } from 'errand/testing'
import { setAppState } from '#src/runtime/app.js'
import { office, Report } from './office.js'
import { rejection } from './rejection.js'

const ada = { id: 7, name: 'Ada' }

describe('a chain', () => {
  let testing: Testing

  beforeEach(async () => {
    office.seen.length = 0
    office.failures = 0
    testing = await startTesting({ instances: [office] })
  })
  afterEach(() => testing.stop())

  it('runs its steps in order, each as the caller and with the result of the one before, and answers that of the last', async () => {
    const sent = await withContext({ user: ada }, () =>
      chain(
        () => office.report(2026),
        (report) => office.send(report, ada),
        (text) => office.echo(text),
      ),
    )

    assert.equal(await sent.result(), '2026 to Ada')
    assert.deepEqual(office.tasks(), ['report', 'send', 'echo'])
    assert.deepEqual(office.seen.map(({ user }) => user), [ada, ada, ada])
    assert.instanceOf(await sent.steps[0]?.result(), Report)
    assert.equal(await sent.steps[1]?.result(), '2026 to Ada')
    assert.equal(sent.steps[2]?.id, sent.id)
  })

  it('lets each step know the one before as its parent', async () => {
    const { steps } = await chain(() => office.double(1), (two) => office.double(two), (four) => office.tell(four))
    await testing.idle()

    const parents = await Promise.all(steps.map(async (step) => (await step.status()).parentId))
    assert.deepEqual(parents, [undefined, steps[0]?.id, steps[1]?.id])
  })

  it('takes options of a step from enqueue()', async () => {
    const last = await chain(() => enqueue(() => office.double(1), { queue: 'first' }), (two) => enqueue(() => office.double(two), { priority: 9 }))

    assert.equal(await last.result(), 4)
    assert.deepEqual(testing.calls.map(({ queue, priority }) => [queue, priority]), [['first', 4], ['default', 9]])
  })

  it('fails behind a step that failed for good, and names that', async () => {
    const last = await chain(() => office.refuse('no paper'), (count) => office.double(count), (four) => office.echo(four))

    const error = await rejection(last.result())
    assert.include(error, { code: 'STEP_FAILED' })
    assert.match(error.message, /^Office\.echo was not run: a step before it, Office\.refuse \(id .*no paper$/)
    assert.instanceOf(error.cause, TypeError)
    assert.deepEqual(await Promise.all(last.steps.map(async (step) => (await step.status()).state)), ['failed', 'failed', 'failed'])
    assert.deepEqual(office.tasks(), ['refuse'])
  })

  it('is cancelled from a step that is cancelled on, and by its handle as a whole', async () => {
    const first = await chain(() => enqueue(() => office.double(1), { delay: 0.1 }), (two) => office.double(two), (four) => office.echo(four))
    const second = await chain(() => enqueue(() => office.double(1), { delay: 0.1 }), (two) => office.double(two))
    await first.steps[0]?.cancel({ reason: 'no need' })
    assert.include(await second.cancel(), { isCancelled: true, id: second.id })
    await testing.idle()

    const steps = [...first.steps, ...second.steps]
    assert.deepEqual(await Promise.all(steps.map(async (step) => (await step.status()).state)), steps.map(() => 'cancelled'))
    assert.include(await rejection(first.result()), { code: 'TASK_CANCELLED' })
    assert.deepEqual(office.seen, [])
  })

  it('may follow another call as a whole', async () => {
    await enqueue(() => office.double(1), { then: (two) => chain(() => office.double(two), (four) => office.tell(four)) })
    await testing.idle()

    assert.deepEqual(office.tasks(), ['double', 'double', 'tell'])
    assert.equal(office.seen[2]?.given, 4)
    assert.equal((await tasks.search({ states: ['completed'] })).tasks.length, 3)
  })

  it('runs here, in order, where calls run where they are made', async () => {
    setAppState({ kind: 'off' })
    const last = await chain(() => office.report(2026), (report) => office.send(report, ada), (text) => office.echo({ text }))
    const failed = await chain(() => office.refuse('no paper'), (count) => office.double(count))

    assert.deepEqual(await last.result(), { text: '2026 to Ada' })
    assert.include(await rejection(failed.result()), { code: 'STEP_FAILED' })
    assert.deepEqual(office.tasks().filter((task) => task !== 'refuse'), ['report', 'send', 'echo'])
  })

  it('is one captured call where bodies do not run', async () => {
    await testing.stop()
    testing = await startTesting({ mode: 'capture' })
    await chain(() => office.double(1), (two) => office.double(two))

    assert.deepEqual(testing.calls.map(({ task, args }) => [task, args]), [['Office.double', [1]]])
  })

  it('refuses a step that is called already, and none at all', async () => {
    for (const step of [Promise.resolve(1), undefined]) {
      const { code, message } = await rejection(chain(step as unknown as () => Promise<number>, (count) => office.double(count)))
      assert.equal(code, 'CALL_INVALID')
      assert.match(message, /^chain\(\) takes functions that each call one task/)
    }
  })
})
