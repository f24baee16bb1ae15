import { expect } from 'chai'
import { asyncTask, currentTask, timedQuery } from 'errand'
import { startTesting } from 'errand/testing'
import { LazySignal } from '#src/core/lazy-signal.js'
import { runInScope } from '#src/core/context.js'
import { silentLogger } from '#src/core/logger.js'

const QUICK = { firstWait: '1ms', interval: '1ms' } as const

/** A query that finds `found` at its `nth` try. */
function queryOf<T>(nothing: T, found: T, nth: number) {
  const query = { tries: 0, ask: async (): Promise<T> => (++query.tries >= nth ? found : nothing) }
  return query
}

describe('timedQuery', () => {
  for (const nothing of [undefined, null, []]) {
    it(`asks again after ${JSON.stringify(nothing) ?? 'undefined'}, and answers what it finds`, async () => {
      const query = queryOf<string | undefined | null | string[]>(nothing, 'order', 3)

      expect(await timedQuery(query.ask, QUICK)).to.equal('order')

      expect(query.tries).to.equal(3)
    })
  }

  it('takes 0, false and the empty text for something found', async () => {
    for (const found of [0, false, '']) expect(await timedQuery(() => found, QUICK)).to.equal(found)
  })

  it('answers undefined after one try and ten more', async () => {
    const query = queryOf<string | null>(null, 'order', 12)

    expect(await timedQuery(query.ask, QUICK)).to.equal(undefined)

    expect(query.tries).to.equal(11)
  })

  it('tries once and `retries` times', async () => {
    const query = queryOf<string | null>(null, 'order', 12)

    await timedQuery(query.ask, { ...QUICK, retries: 0 })

    expect(query.tries).to.equal(1)
  })

  it('waits before the first try and between two, for as long as it is told', async () => {
    const asked: number[] = []
    const from = performance.now()

    await timedQuery(() => void asked.push(performance.now() - from), { retries: 1, firstWait: '40ms', interval: 0.06 })

    // a timer may fire a fraction of a millisecond early
    expect(asked[0]).to.be.at.least(39)
    expect((asked[1] ?? 0) - (asked[0] ?? 0)).to.be.at.least(59)
  })

  it('rejects at once with what the query throws', async () => {
    let tries = 0
    const error = new RangeError('no such table')

    const failure = await rejection(
      timedQuery(() => {
        tries++
        throw error
      }, QUICK),
    )

    expect([failure, tries]).to.deep.equal([error, 1])
  })

  it('ends with the reason of its signal, while it waits and before it asks', async () => {
    const reason = new Error('no longer wanted')
    const waiting = new AbortController()
    const asked = timedQuery(() => waiting.abort(reason) as undefined, { firstWait: 0, signal: waiting.signal })

    expect(await rejection(asked)).to.equal(reason)
    expect(await rejection(timedQuery(() => 1, { signal: AbortSignal.abort(reason) }))).to.equal(reason)
  })

  it('ends when the run of the task ends in which it waits', async () => {
    const signal = new LazySignal()
    const task = { id: 'x', name: 'x', attempt: 1, signal, log: silentLogger }
    const asked = runInScope({ context: undefined, task }, () => timedQuery(() => undefined))
    const reason = new Error('time is over')

    signal.abort(reason)

    expect(await rejection(asked)).to.equal(reason)
  })

  it('finds in a task what its caller stored after the call', async () => {
    const rows = new Map<number, string>()
    const seen: unknown[] = []
    const read = asyncTask(async function readOrder(id: number): Promise<void> {
      seen.push(await timedQuery(() => rows.get(id), QUICK), currentTask().attempt)
    })
    const testing = await startTesting()

    await read(7)
    rows.set(7, 'tea')
    await testing.idle()
    await testing.stop()

    expect(seen).to.deep.equal(['tea', 1])
  })

  it('refuses options that mean nothing', async () => {
    for (const options of [{ retries: -1 }, { retries: 1.5 }, { interval: -1 }, { firstWait: Number.NaN }, { tries: 3 }]) {
      expect(await rejection(timedQuery(() => 1, options))).to.include({ code: 'OPTION_INVALID' })
    }
  })
})

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail('it did not reject'),
    (error: unknown) => error,
  )
}
