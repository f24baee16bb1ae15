import { assert } from 'chai'
import { background, enqueue, tasks, withContext } from 'errand'
import { startTesting, type Testing } from 'errand/testing'
import { enqueueOnce } from '#src/runtime/background.js'
import { office, Report } from './office.js'
import { rejection } from './rejection.js'

const ada = { id: 7, name: 'Ada' }
const asAda = <T>(fn: () => T): T => withContext({ user: ada }, fn)

describe('a call that follows another', () => {
  let testing: Testing

  beforeEach(async () => {
    office.seen.length = 0
    office.failures = 0
    testing = await startTesting({ instances: [office] })
  })
  afterEach(() => testing.stop())

  it('runs after the first has completed, as the same caller, with its result, which keeps its class', async () => {
    const to = { name: 'Bob' }
    await asAda(() => enqueue(() => office.report(2026), { then: (report) => office.send(report, to) }))
    to.name = 'somebody who was named after the call'
    await testing.idle()

    assert.deepEqual(office.tasks(), ['report', 'send'])
    assert.deepInclude(office.seen[1], { given: new Report(2026, new Map([['first', new Date(0)]])), user: ada })
    const { parentId } = await tasks.get(testing.calls[1]?.id ?? '').status()
    assert.equal(parentId, testing.calls[0]?.id)
  })

  it('gets the result at any depth of its arguments', async () => {
    await enqueue(() => office.double(4), { then: (count) => office.tell({ counts: [count, { count }], at: new Date(1) }) })
    await testing.idle()

    assert.deepEqual(office.seen[1]?.given, { counts: [8, { count: 8 }], at: new Date(1) })
  })

  it('honours the options of its call, and what follows it in turn', async () => {
    const options = { delay: 0.01, queue: 'slow', priority: 7, then: (twice: number) => office.tell(twice) }
    await background(office, { then: (count: number) => enqueue(() => office.double(count), options) }).double(1)
    await testing.idle()

    assert.deepEqual(office.tasks(), ['double', 'double', 'tell'])
    assert.deepInclude(testing.calls[1], { queue: 'slow', delayMs: 10, priority: 7 })
    assert.equal(office.seen[2]?.given, 4)
  })

  it('is known and waits from the call on, and cancelling it keeps it from running', async () => {
    const first = await enqueue(() => office.double(1), { delay: 0.2, then: (count) => office.tell(count) })
    const { tasks: found } = await tasks.search({ parentId: first.id })
    assert.deepEqual(found.map(({ task, state }) => [task, state]), [['Office.tell', 'queued']])

    await tasks.cancel(found[0]?.id ?? '')
    await testing.idle()

    assert.deepEqual(office.tasks(), ['double'])
  })

  it('does not run when the first fails, and says which step did', async () => {
    const first = await enqueue(() => office.refuse('no paper'), { delay: 0.1, then: (count) => office.tell(count), onFailed: (error) => office.tell(error) })
    const { tasks: found } = await tasks.search({ parentId: first.id })
    await testing.idle()

    assert.deepEqual(office.tasks(), ['refuse', 'tell'])
    assert.instanceOf(office.seen[1]?.given, TypeError)
    const error = await rejection(tasks.get(found[0]?.id ?? '').result())
    assert.include(error, { code: 'STEP_FAILED' })
    assert.match(error.message, /^Office\.tell was not run: .* Office\.refuse .*no paper/)
  })

  it('comes after the last run of a task that is run again', async () => {
    await testing.stop()
    testing = await startTesting({ instances: [office], retries: 2 })
    office.failures = 1
    await enqueue(() => office.report(1999), { then: (report) => office.send(report, ada), onFailed: (error) => office.tell(error) })
    await testing.idle()

    assert.deepEqual(office.tasks(), ['report', 'report', 'send'])
  })

  it('fails where the result does not fit into its message', async () => {
    await enqueue(() => office.large(), { then: (text) => enqueue(() => office.tell(text), { onFailed: (error) => office.tell(error) }) })
    await testing.idle()

    assert.deepEqual(office.tasks(), ['large', 'tell'])
    assert.include(office.seen[1]?.given, { code: 'PAYLOAD_TOO_LARGE' })
  })

  it('may follow any end, and is told which', async () => {
    const following = [{ on: 'ended', call: (end: unknown) => office.tell(end) } as const]
    await enqueueOnce(() => office.double(2), { following })
    await enqueueOnce(() => office.refuse('no ink'), { following })
    const late = await enqueueOnce(() => office.double(3), { delay: 0.1, following })
    await late.cancel({ reason: 'no time' })
    await testing.idle()

    const told = office.seen.filter(({ task }) => task === 'tell').map(({ given }) => given as { state: string; value?: unknown; error?: Error })
    assert.sameDeepMembers(told.map(({ state, value, error }) => [state, value ?? error?.message.includes('no')]), [['completed', 4], ['failed', true], ['cancelled', true]])
  })

  it('refuses to have its placeholder looked into, and says to pass it whole', async () => {
    const looks = [
      (report: Report) => office.tell(report.year),
      async (report: Report) => office.tell(await Promise.resolve(report)),
      (report: Report) => office.tell(JSON.stringify(report)),
      (report: Report) => office.tell(String(report.year)),
    ]
    for (const then of looks) {
      const error = await rejection(enqueue(() => office.report(1), { then }))
      assert.include(error, { code: 'PLACEHOLDER_READ' })
      assert.include(error.message, 'Pass it whole')
    }
    assert.deepEqual(office.seen, [])
  })

  it('is refused with a key, before or behind, and where its function calls no task', async () => {
    const refused = [
      () => enqueue(() => office.double(1), { key: 'one', then: (count) => office.tell(count) }),
      () => enqueue(() => office.double(1), { then: (count) => enqueue(() => office.tell(count), { key: 'two' }) }),
      () => enqueue(() => office.double(1), { then: async () => undefined }),
    ]
    for (const call of refused) assert.include(await rejection(call()), { code: 'CALL_INVALID' })
    assert.deepEqual(office.seen, [])
  })

  it('cannot be more than fits into one message', async () => {
    const large = 'x'.repeat(1_048_576)
    const error = await rejection(enqueue(() => office.double(1), { then: () => office.tell(large) }))
    assert.include(error, { code: 'PAYLOAD_TOO_LARGE' })
  })
})
