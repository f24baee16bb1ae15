import { expect } from 'chai'
import { asyncProgress, asyncTask, background, ErrandError, failOnError, progressItems, setProgress, tasks } from 'errand'
import { startTesting, type Testing } from 'errand/testing'
import { until } from '../kit/until.js'

/** Lets a body go on. */
let gate = Promise.resolve()
let open: () => void = () => {}

const say = asyncTask(async function say(value: number, data: unknown): Promise<void> {
  setProgress(value, data)
  await gate
})
const sayAll = asyncTask(async function sayAll(values: number[]): Promise<void> {
  for (const value of values) setProgress(value)
  await gate
})
const items = asyncTask(async function items(how: string): Promise<void> {
  const list = ['a', 'b', 'c']
  if (how === 'sync') for (const item of progressItems(new Set(list))) void item
  if (how === 'none') for (const item of progressItems<string>([])) void item
  if (how === 'unsized') for (const item of progressItems(list.values())) void item
  if (how === 'async') for await (const item of progressItems(later(list), 3)) void item
  await gate
})
const guarded = asyncTask(
  async function guarded(): Promise<number> {
    return failOnError('The rates could not be had.', async () => {
      throw new RangeError('no rates')
    })
  },
  { result: true, retries: 3, backoff: 0 },
)
const quiet = asyncTask(async function quiet(): Promise<void> {
  await gate
})

async function* later(list: readonly string[]): AsyncGenerator<string> {
  for (const item of list) yield item
}

describe('The progress of a task', () => {
  let testing: Testing

  beforeEach(async () => {
    gate = new Promise((resolve) => (open = resolve))
    testing = await startTesting()
  })
  afterEach(async () => {
    open()
    await testing.idle()
    await testing.stop()
  })

  const valueOf = (id: string, value: number | boolean) => until(`progress ${value}`, async () => (await tasks.get(id).progress()).value === value)
  const ended = async (id: string) => {
    open()
    await testing.idle()
    return tasks.get(id).status()
  }

  it('is -1 and null before the first report, and reads back equal after it (items 98 and 99)', async () => {
    const silent = await background({ quiet }).quiet()
    expect(await asyncProgress(silent.id)).to.deep.equal([-1, null])

    const task = await background({ say }).say(0, { hello: 'àèìòù' })
    await valueOf(task.id, 0)

    expect(await asyncProgress(task.id)).to.deep.equal([0, { hello: 'àèìòù' }])
  })

  it('is null after completion, after a failure and for an unknown id, which the full accessor tells apart (item 100)', async () => {
    const [done, failed] = [await background({ say }).say(1, null), await background({ guarded }).guarded()]
    open()
    await testing.idle()

    for (const id of [done.id, failed.id, 'nobody']) expect(await asyncProgress(id)).to.equal(null)
    const states = await Promise.all([done.id, failed.id, 'nobody'].map(async (id) => (await tasks.get(id).status()).state))
    expect(states).to.deep.equal(['completed', 'failed', 'unknown'])
  })

  for (const [given, kept] of [[33.333, 33.3], [66.66, 66.7], [50.04, 50], [-5, 0], [250, 100], [Infinity, 100]] as const) {
    it(`is rounded to a decimal and kept within 0 and 100: ${given} is ${kept} (item 101)`, async () => {
      const task = await background({ say }).say(given, null)

      await valueOf(task.id, kept)
    })
  }

  it('becomes 100 on success where it was a number, and true where there was none (item 102)', async () => {
    const [some, none] = [await background({ say }).say(10, null), await background({ quiet }).quiet()]

    expect((await ended(some.id)).progress.value).to.equal(100)
    expect((await ended(none.id)).progress.value).to.equal(true)
  })

  it('of 100 does not mean that the task has completed (item 102)', async () => {
    const task = await background({ say }).say(100, null)
    await valueOf(task.id, 100)

    expect((await task.status()).state).to.equal('running')
  })

  for (const [how, value] of [['sync', 100], ['async', 100], ['none', 0]] as const) {
    it(`goes through items, ${how} (item 103)`, async () => {
      const task = await background({ items }).items(how)

      await valueOf(task.id, value)
    })
  }

  it('of items whose number nobody knows is a coded error (item 103)', async () => {
    const task = await background({ items }).items('unsized')

    const { state, error } = await ended(task.id)

    expect([state, error?.code]).to.deep.equal(['failed', 'OPTION_INVALID'])
  })

  it('is the last one reported, of many in a moment', async () => {
    const task = await background({ sayAll }).sayAll([1, 2, 3, 4, 5])

    await valueOf(task.id, 5)
  })

  it('outside a task is a coded error, not a crash (item 104)', () => {
    for (const report of [() => setProgress(1), () => progressItems([])]) {
      expect(report).to.throw(ErrandError).with.property('code', 'NOT_IN_TASK')
    }
  })

  it('and the message of failOnError fail a task for good, with the cause', async () => {
    const task = await background({ guarded }).guarded()
    const error: unknown = await task.result().catch((failure: unknown) => failure)

    expect(error).to.include({ message: 'The rates could not be had.', code: 'TASK_FAILED' })
    expect(error).to.have.property('cause').that.is.instanceOf(RangeError)
    expect((await task.status()).attempt).to.equal(1)
  })
})
