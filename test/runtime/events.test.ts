import { expect } from 'chai'
import { asyncTask, background, ErrandError, on, setProgress, type Events } from 'errand'
import { startTesting } from 'errand/testing'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

const shop = {
  sell: asyncTask(
    async function sell(isGood: boolean): Promise<void> {
      setProgress(50, { step: 'packed' })
      if (!isGood) throw new RangeError('nothing is left')
    },
    { name: 'events.sell', retries: 1, backoff: 0 },
  ),
}

const NAMES = ['queued', 'started', 'progressed', 'retrying', 'completed', 'failed'] as const

describe('on()', () => {
  const scope = eachScope()

  it('tells what becomes of a task, in order', async () => {
    const { heard, idle } = await listening(scope())

    const { id } = await background(shop, { queue: 'events' }).sell(true)
    await idle()

    const of = { id, task: 'events.sell' }
    expect(heard.map(({ name }) => name)).to.deep.equal(['queued', 'started', 'progressed', 'completed'])
    expect(heard[0]?.told).to.include({ ...of, queue: 'events', delayMs: 0 })
    expect(heard[1]?.told).to.include({ ...of, attempt: 1 }).and.to.have.property('waitedMs').that.is.at.least(0)
    expect(heard[2]?.told).to.deep.include({ ...of, attempt: 1, value: 50, data: { step: 'packed' } })
    expect(heard[3]?.told).to.include({ ...of, attempt: 1 }).and.to.have.property('tookMs').that.is.at.least(0)
    expect(Object.isFrozen(heard[3]?.told)).to.equal(true)
  })

  it('tells each run that fails, and the last one apart', async () => {
    const { heard, idle } = await listening(scope())

    await background(shop).sell(false)
    await idle()

    const failures = heard.filter(({ name }) => name === 'retrying' || name === 'failed')
    expect(failures.map(({ name }) => name)).to.deep.equal(['retrying', 'failed'])
    expect(failures.map(({ told }) => Reflect.get(told, 'attempt'))).to.deep.equal([1, 2])
    expect(Reflect.get(failures[1]?.told ?? {}, 'error')).to.be.instanceOf(RangeError)
  })

  it('harms nothing by a listener that fails, and tells the others', async () => {
    const { heard, idle, failures } = await listening(scope())
    scope().defer(on('started', () => Promise.reject(new Error('later'))))
    scope().defer(
      on('started', () => {
        throw new Error('at once')
      }),
    )
    const after: string[] = []
    scope().defer(on('started', ({ id }) => after.push(id)))

    const { id } = await background(shop).sell(true)
    await idle()

    await until('the third listener', () => after.length > 0)
    expect(after).to.deep.equal([id])
    expect(heard.at(-1)?.name).to.equal('completed')
    expect(failures).to.have.length(0)
  })

  it('tells nothing any more to a listener that was taken away', async () => {
    await listening(scope())
    const told: unknown[] = []
    const stop = on('queued', (event) => told.push(event))

    stop()
    await background(shop).sell(true)

    expect(told).to.deep.equal([])
  })

  it('refuses what is no event, and what is no function', () => {
    // what JavaScript may pass
    expect(() => on('done' as 'failed', () => {})).to.throw(ErrandError, 'no event').with.property('code', 'OPTION_INVALID')
    expect(() => on('failed', 'log' as unknown as () => void)).to.throw(ErrandError, 'takes a function')
  })
})

/** The test mode with a listener of everything. */
async function listening(scope: { defer(close: () => unknown): void }) {
  const testing = await startTesting()
  const heard: { readonly name: keyof Events; readonly told: object }[] = []
  for (const name of NAMES) scope.defer(on(name, (told) => heard.push({ name, told })))
  scope.defer(() => testing.stop())
  return { heard, failures: testing.failures, idle: () => testing.idle() }
}
