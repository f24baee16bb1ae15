import { assert } from 'chai'
import { context, ErrandError } from 'errand'
import { makeContext } from '#src/core/context.js'
import { kinds, run, setting } from '../kit/limited-workers.js'

describe('a limit of runs at once', () => {
  it('lets in so many over all workers, and one more when one has ended', async () => {
    const { workers: [one, two] } = setting({ concurrency: 2 })
    const first = await one.enter()
    assert.equal((await two.enter()).kind, 'enter')

    assert.equal((await one.enter()).kind, 'later')
    assert.equal((await two.enter()).kind, 'later')
    await run(first)

    assert.equal((await one.enter()).kind, 'enter')
  })

  it('gives the place back when the body throws, and hands the error on', async () => {
    const { workers: [one] } = setting({ concurrency: 1 })
    const entry = await one.enter()

    const failed: unknown = await run(entry, async () => Promise.reject(new RangeError('x'))).catch((error: unknown) => error)

    assert.instanceOf(failed, RangeError)
    assert.equal((await one.enter()).kind, 'enter')
  })

  it('counts each key for itself', async () => {
    const { workers: [one] } = setting({ concurrency: 1, limitBy: (key: string) => key })

    assert.deepEqual(await kinds([one.enter(['a']), one.enter(['b']), one.enter(['a']), one.enter(['b'])]), ['enter', 'enter', 'later', 'later'])
  })

  it('sends ten thousand waiting messages to come at different times, none of them soon again and again', async () => {
    const { workers: [one], clock } = setting({ concurrency: 1 })
    await one.enter()
    await clock.pass(1_000)
    const delays: number[] = []
    for (let index = 0; index < 10_000; index++) delays.push(await one.delay())

    assert.isAtLeast(Math.min(...delays), 90)
    assert.isAtMost(Math.max(...delays), 5 * 60_000 * 1.1)
    // how many come in the busiest second
    const seconds = new Map<number, number>()
    for (const delayMs of delays) seconds.set(Math.floor(delayMs / 1_000), (seconds.get(Math.floor(delayMs / 1_000)) ?? 0) + 1)
    assert.isBelow(Math.max(...seconds.values()), 200)
  })

  it('sends a message that waits for a long run ever less often', async () => {
    const { workers: [one], clock } = setting({ concurrency: 1 })
    await one.enter()
    let times = 0
    for (const end = clock.now() + 60 * 60_000; clock.now() < end; times++) await clock.pass(await one.delay())

    assert.isBelow(times, 50)
  })

  it('does not remember a line that is gone', async () => {
    const { workers: [one], clock } = setting({ concurrency: 1 })
    await one.enter()
    await clock.pass(await one.delay())
    await clock.pass(3_600_000)

    assert.isBelow(await one.delay(), 200)
  })

  it('asks for no name while the places are known to be taken', async () => {
    const { workers: [one, two], asked, clock } = setting({ concurrency: 3 })
    for (let index = 0; index < 3; index++) await one.enter()
    asked.length = 0
    for (let index = 0; index < 100; index++) await one.enter()
    assert.lengthOf(asked, 0)

    for (let index = 0; index < 100; index++) await two.enter()
    assert.lengthOf(asked, 3)
    await clock.pass(1_100)
    await two.enter()
    assert.lengthOf(asked, 6)
  })

  it('lets a run go on whose place was lost, and says so', async () => {
    const { workers: [one], lose, lines } = setting({ concurrency: 1 })
    const entry = await one.enter()

    const value = await run(entry, async () => {
      lose()
      return 7
    })

    assert.equal(value, 7)
    assert.match(lines.join('\n'), /A run of .* goes on although its place .* was lost/)
  })

  it('says nothing of a place that was lost when its run had ended', async () => {
    const { workers: [one], lose, lines } = setting({ concurrency: 1 })
    await run(await one.enter())
    lose()

    assert.deepEqual(lines, [])
  })
})

describe('a limit of starts', () => {
  it('lets one begin in each slot of time, over all workers', async () => {
    const { workers: [one, two], clock } = setting({ rate: '4/m' })

    assert.deepEqual(await kinds([one.enter(), two.enter(), one.enter()]), ['enter', 'later', 'later'])
    await clock.pass(15_000)
    assert.deepEqual(await kinds([two.enter(), one.enter()]), ['enter', 'later'])
    await clock.pass(14_000)
    assert.equal((await one.enter()).kind, 'later')
  })

  it('sends those that wait to come in slots of their own', async () => {
    const { workers: [one] } = setting({ rate: '4/m' })
    await one.enter()

    assert.deepEqual([await one.delay(), await one.delay(), await one.delay()], [15_000, 30_000, 45_000])
  })

  it('plans no further than a quarter of an hour, but always as far as the next slot', async () => {
    const { workers: [one] } = setting({ rate: '1/d' })
    await one.enter()
    assert.equal(await one.delay(), 86_400_000)

    const { workers: [other] } = setting({ rate: '4/m' })
    await other.enter()
    const delays: number[] = []
    for (let index = 0; index < 10_000; index++) delays.push(await other.delay())
    assert.isAtMost(Math.max(...delays), 15 * 60_000)
    assert.equal(new Set(delays.slice(0, 60)).size, 60)
  })

  it('takes several slots with one name where they are short', async () => {
    const { workers: [one], asked, clock } = setting({ rate: '1000/s' })
    let begun = 0
    for (let ms = 0; ms < 1_000; ms++) {
      if ((await one.enter()).kind === 'enter') begun++
      await clock.pass(1)
    }

    assert.equal(begun, 1_000)
    assert.lengthOf(asked, 10)
  })

  it('waits for a slot that is close with the message in hand, as long as not too many do', async () => {
    const { workers: [one], clock } = setting({ rate: '10/s' })
    await one.enter()
    const near = one.enter()
    const further = one.enter()
    await new Promise((resolve) => setImmediate(resolve))

    await clock.pass(100)

    assert.deepEqual(await kinds([near, further]), ['enter', 'later'])
  })

  it('uses no slot for a run that finds no place, and no place for one that finds no slot', async () => {
    const { workers: [one], clock } = setting({ rate: '1/s', concurrency: 1 })
    const first = await one.enter()
    await clock.pass(5_000)
    assert.equal((await one.enter()).kind, 'later')
    await run(first)
    const second = await one.enter()
    assert.equal(second.kind, 'enter')
    await run(second)

    assert.equal((await one.enter()).kind, 'later')
    await clock.pass(1_000)
    assert.equal((await one.enter()).kind, 'enter')
  })
})

describe('limits', () => {
  it('let a message come again before it expires', async () => {
    const { workers: [one], clock } = setting({ rate: '1/h' })
    await one.enter()

    const entry = await one.enter([], { expiresAt: clock.now() + 60_000 })

    assert.deepEqual(entry, { kind: 'later', delayMs: 30_000 })
  })

  it('are counted by what limitBy answers as the caller', async () => {
    const keys: unknown[] = []
    const limitBy = (...args: unknown[]): string => {
      keys.push([args, context().user])
      return 'k'
    }
    const { workers: [one] } = setting({ concurrency: 1, limitBy })

    await one.enter([1, 'b'], { context: makeContext({ user: { id: 'ada' } }) })

    assert.deepEqual(keys, [[[1, 'b'], { id: 'ada' }]])
  })

  it('fail a run whose limitBy throws or answers no text', async () => {
    const thrown = setting({ concurrency: 1, limitBy: () => { throw new RangeError('x') } }) // prettier-ignore
    assert.instanceOf(await thrown.workers[0].enter().catch((error: unknown) => error), RangeError)

    // what a program without types may do
    const odd = setting({ concurrency: 1, limitBy: (() => 7) as unknown as () => string })
    const failed: unknown = await odd.workers[0].enter().catch((error: unknown) => error)
    assert.instanceOf(failed, ErrandError)
    assert.match(String(failed), /limitBy must answer a text, and answered number/)
  })

  it('put no key into the names that they ask for', async () => {
    const { workers: [one], asked } = setting({ concurrency: 1, rate: '1/s', limitBy: () => 'ada@example.org' })
    await one.enter()

    assert.isNotEmpty(asked)
    assert.notInclude(asked.join(), 'ada')
  })

  it('let nothing begin while names cannot be taken, and say so once', async () => {
    const { workers: [one], fail, lines } = setting({ concurrency: 1, rate: '1/s' })
    fail(new ErrandError('BROKER_UNREACHABLE', 'nobody there'))

    assert.deepEqual(await kinds([one.enter(), one.enter()]), ['later', 'later'])
    assert.match(lines.join(), /cannot be kept for the moment, so its runs wait: nobody there/)
    assert.lengthOf(lines, 1)
    fail(undefined)
    assert.equal((await one.enter()).kind, 'enter')
  })

  it('hold nothing where a process has no names to share', async () => {
    const { unlocked } = setting({ concurrency: 1 })

    assert.deepEqual(await kinds([unlocked.enter(), unlocked.enter()]), ['enter', 'enter'])
  })

  it('let go of the names of keys that came once', async () => {
    const { workers: [one], clock, released } = setting({ rate: '1/s', limitBy: (key: string) => key })
    for (let index = 0; index < 5_000; index++) {
      assert.equal((await one.enter([`key ${index}`])).kind, 'enter')
      if (index % 500 === 0) await clock.pass(3_000)
    }
    await clock.pass(10_000)

    assert.equal(released(), 5_000)
  })
})
