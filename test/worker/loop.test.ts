import { expect } from 'chai'
import type { Broker, Delivery, Verdict } from '#src/broker/broker.js'
import { openMemoryBroker } from '#src/broker/memory/broker.js'
import { systemClock, type Clock } from '#src/core/clock.js'
import { silentLogger } from '#src/core/logger.js'
import type { LazySignal } from '#src/core/lazy-signal.js'
import { Loop } from '#worker/loop.js'
import { Shutdown } from '#worker/shutdown.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

const hasty: Clock = { now: () => systemClock.now(), after: (ms, fn) => systemClock.after(ms / 100, fn) }

/** A run under way, ended by the test. */
interface Run {
  readonly id: string
  readonly signal: LazySignal
  readonly end: (verdict: Verdict) => void
}

describe('The loop of a worker', () => {
  const scope = eachScope()
  let broker: Broker
  let runs: Run[]

  beforeEach(() => {
    broker = scope().use(openMemoryBroker())
    runs = []
  })

  async function startLoop(queues: readonly string[], concurrency: number): Promise<Loop> {
    const run = (delivery: Delivery, signal: LazySignal): Promise<Verdict> =>
      new Promise((end) => {
        runs.push({ id: delivery.id, signal, end })
      })
    const loop = new Loop({ broker, executor: { run, lost: async (_delivery, reason) => Promise.reject(reason) }, queues, concurrency })
    await loop.start()
    scope().defer(() => loop.quiet())
    scope().defer(() => loop.handBack())
    return loop
  }

  const send = (id: string, queue = 'default'): Promise<void> => broker.publish({ id, queue, body: Buffer.from(id) })
  const ids = (): readonly string[] => runs.map(({ id }) => id)
  const begun = (count: number): Promise<unknown> => until(`${count} runs`, () => runs.length >= count)
  const shutdownOf = (loop: Loop): Shutdown => new Shutdown({ loop, clock: hasty, log: silentLogger })
  /** What another worker gets after this one, when it is that many. */
  async function left(count: number, queue = 'default'): Promise<readonly string[]> {
    const found: string[] = []
    const subscription = await broker.consume(queue, { concurrency: 10 }, async ({ id }) => {
      found.push(id)
      return { kind: 'done' }
    })
    await until('the rest', () => found.length === count)
    await subscription.stop()
    expect(await broker.count(queue)).to.deep.equal({ waiting: 0, dead: 0 })
    return found.toSorted()
  }

  it('consumes its other queues when one of them cannot be consumed, and that one when it is asked again', async () => {
    const refused = new Set(['first'])
    const consumed: string[] = []
    const picky: Broker = {
      ...broker,
      publish: (message) => broker.publish(message),
      consume: (queue, options, handle) => {
        if (refused.has(queue)) return Promise.reject(new Error(`no leader for ${queue}`))
        consumed.push(queue)
        return broker.consume(queue, options, handle)
      },
    }
    const never = (): Promise<Verdict> => new Promise(() => {})
    const loop = new Loop({ broker: picky, executor: { run: never, lost: never }, queues: ['first', 'second', 'third'], concurrency: 1 })
    scope().defer(() => loop.quiet())

    const refusal: unknown = await loop.start().catch((error: unknown) => error)
    expect(consumed).to.deep.equal(['second', 'third'])
    refused.clear()
    await loop.start()

    expect(String(refusal)).to.contain('no leader for first')
    expect(consumed).to.deep.equal(['second', 'third', 'first'])
  })

  it('runs no more tasks at once than it may, over all its queues, and each of them in the end', async () => {
    const loop = await startLoop(['mail', 'reports'], 2)
    await Promise.all(['a', 'b', 'c'].flatMap((id) => [send(`${id}1`, 'mail'), send(`${id}2`, 'reports')]))
    await begun(2)
    const most: number[] = []

    for (let ended = 0; ended < 6; ended++) {
      await begun(Math.min(ended + 2, 6))
      most.push(loop.running)
      runs[ended]?.end({ kind: 'done' })
    }
    await loop.empty()

    expect(most).to.deep.equal([2, 2, 2, 2, 2, 1])
    expect(ids().toSorted()).to.deep.equal(['a1', 'a2', 'b1', 'b2', 'c1', 'c2'])
  })

  it('lets running tasks end when it stops, and takes nothing new', async () => {
    const loop = await startLoop(['default'], 1)
    await send('running')
    await begun(1)
    await send('waiting')

    const stopped = shutdownOf(loop).within(60_000_000)
    runs[0]?.end({ kind: 'done' })
    await stopped

    expect(ids()).to.deep.equal(['running'])
    expect(await left(1)).to.deep.equal(['waiting'])
  })

  it('hands back what waits for a turn when it stops', async () => {
    const loop = await startLoop(['mail', 'reports'], 1)
    await send('running', 'mail')
    await begun(1)
    await send('waiting', 'reports')

    const stopped = shutdownOf(loop).within(60_000_000)
    runs[0]?.end({ kind: 'done' })
    await stopped

    expect(await left(1, 'reports')).to.deep.equal(['waiting'])
  })

  it('aborts after the grace period what still runs, and hands it back', async () => {
    const loop = await startLoop(['default'], 2)
    await Promise.all([send('heeds'), send('deaf')])
    await begun(2)
    const heeds = runs.find(({ id }) => id === 'heeds')
    heeds?.signal.signal.addEventListener('abort', () => heeds.end({ kind: 'release' }))

    await shutdownOf(loop).within(1_000)

    expect(runs.every(({ signal }) => signal.signal.aborted)).to.equal(true)
    expect(await left(2)).to.deep.equal(['deaf', 'heeds'])
  })

  it('keeps the end of a task that completes in spite of the abort', async () => {
    const loop = await startLoop(['default'], 1)
    await send('late')
    await begun(1)
    runs[0]?.signal.signal.addEventListener('abort', () => runs[0]?.end({ kind: 'done' }))

    await shutdownOf(loop).within(0)

    expect(await left(0)).to.deep.equal([])
  })

  it('can be hastened while it stops, but not delayed', async () => {
    const loop = await startLoop(['default'], 1)
    await send('deaf')
    await begun(1)
    const shutdown = shutdownOf(loop)

    const slow = shutdown.within(60_000_000)
    void shutdown.within(100)
    void shutdown.within(60_000_000)
    await slow

    expect(await left(1)).to.deep.equal(['deaf'])
  })

  it('aborts the signal of a task whose message the broker has given to another', async () => {
    const lost = new AbortController()
    const reason = new Error('given to another')
    const losing: Broker = {
      ...broker,
      features: broker.features,
      consume: async (queue, _options, handle) => {
        for (const id of ['asks before', 'asks after']) {
          const counts = { attempt: 1, crashes: 0, priority: 4 }
          void handle({ id, queue, body: Buffer.from(id), ...counts, lost: lost.signal })
        }
        return { stop: async () => {} }
      },
    }
    const signals: LazySignal[] = []
    const run = (_delivery: Delivery, signal: LazySignal): Promise<Verdict> => {
      signals.push(signal)
      return new Promise(() => {})
    }
    const loop = new Loop({ broker: losing, executor: { run, lost: async (_delivery, reason) => Promise.reject(reason) }, queues: ['default'], concurrency: 2 })
    await loop.start()

    const before = signals[0]?.signal
    lost.abort(reason)
    const after = signals[1]?.signal

    expect([before?.aborted, before?.reason, after?.aborted, after?.reason]).to.deep.equal([true, reason, true, reason])
    expect(signals.every(({ isAborted }) => isAborted)).to.equal(true)
  })
})
