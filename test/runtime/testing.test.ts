import { expect } from 'chai'
import { asyncTask, background, carry, ErrandError, tasks, withContext } from 'errand'
import { startTesting, type Testing, type TestingOptions } from 'errand/testing'
import { carriersInUse } from '#src/core/carrier.js'

class Voyage {
  readonly log: string[] = []
  failures = 0

  @asyncTask({ name: 'testing.sail', retries: 3, backoff: '1m' })
  async sail(to: string): Promise<void> {
    if (this.failures-- > 0) throw new Error('a storm')
    this.log.push(to)
  }

  @asyncTask({ name: 'testing.embark', delay: '1h' })
  async embark(): Promise<void> {}

  @asyncTask({ name: 'testing.drift', timeLimit: '10m' })
  async drift(): Promise<void> {
    await new Promise(() => {})
  }
}

describe('The testing kit', () => {
  const voyage = new Voyage()
  let testing: Testing
  const given = async (options: TestingOptions = {}): Promise<void> => {
    testing = await startTesting({ instances: [voyage], ...options })
  }
  const reason = (promise: Promise<unknown>): Promise<string> =>
    promise.then(
      () => 'it passed',
      (error: unknown) => (error instanceof ErrandError ? `${error.code} ${error.message}` : String(error)),
    )
  beforeEach(() => {
    voyage.log.length = 0
    voyage.failures = 0
  })
  afterEach(() => testing.stop())

  describe('with a clock of its own', () => {
    it('lets a delayed task wait until its time has come, in the order of their times', async () => {
      await given({ clock: 'fake' })
      await background(voyage, { delay: '2h' }).sail('Rome')
      const first = await background(voyage, { delay: '1h' }).sail('Nice')

      await testing.idle()
      expect(voyage.log).to.deep.equal([])
      expect((await first.status()).state).to.equal('scheduled')
      await testing.clock.advance('59m')
      expect(voyage.log).to.deep.equal([])
      await testing.clock.advance('1m')
      expect(voyage.log).to.deep.equal(['Nice'])
      await testing.clock.advance('10h')

      expect(voyage.log).to.deep.equal(['Nice', 'Rome'])
      expect((await first.status()).state).to.equal('completed')
    })

    it('brings retries when they are due', async () => {
      await given({ clock: 'fake' })
      voyage.failures = 2
      await voyage.sail('Bari')
      await testing.idle()
      const { id } = testing.calls[0] ?? { id: '' }

      expect((await tasks.get(id).status()).state).to.equal('retrying')
      await testing.clock.advance('1h')

      expect(voyage.log).to.deep.equal(['Bari'])
      expect((await tasks.get(id).status()).attempts.map(({ outcome }) => outcome)).to.deep.equal(['retrying', 'retrying', 'completed'])
    })

    it('brings the time limit of a task that runs', async () => {
      await given({ clock: 'fake' })
      const handle = await background(voyage).drift()
      const outcome = reason(handle.result())
      for await (const { state } of handle.watch()) if (state === 'running') break

      await testing.clock.advance('11m')

      expect(await outcome).to.match(/^TASK_TIMEOUT/)
    })

    it('stands still otherwise, and is moved by hand only where it is asked for', async () => {
      await given({ clock: 'fake' })
      const before = testing.clock.now()
      await testing.clock.advance(5)
      expect(testing.clock.now()).to.equal(before + 5000)
      expect(await reason(testing.clock.advance('soon' as '1s'))).to.match(/^OPTION_INVALID/)
      await testing.stop()

      await given()
      expect(await reason(testing.clock.advance(5))).to.match(/^CALL_INVALID .*clock: 'fake'/)
    })
  })

  describe('that compares the contexts of both sides', () => {
    afterEach(() => {
      // carriers stay for the whole process
      for (const name of ['testing.lost', 'testing.kept']) (carriersInUse() as Map<string, unknown>).delete(name)
    })
    const request = { user: { id: 7, roles: ['admin'] }, url: 'https://shop.example/a?b=c', method: 'POST', headers: { 'accept-language': 'it', authorization: 'Bearer sesame' }, requestId: 'r-1', clientAddress: '10.0.0.1' }

    it('passes where the task sees its caller as the request did, also outside any request', async () => {
      await given()

      await withContext(request, () => testing.assertSameContext(() => voyage.sail('Nice')))
      await testing.assertSameContext(() => voyage.sail('Rome'))

      expect(voyage.log).to.deep.equal(['Nice', 'Rome'])
    })

    it('names the path of what is another there, and no value', async () => {
      await given()
      const user = { id: 7, roles: ['admin', 'cook'] }
      const said = await withContext({ ...request, user }, async () => {
        await voyage.sail('Nice')
        // a context is written once: what changes in place afterwards does not travel
        user.roles[1] = 'captain'
        return reason(testing.assertSameContext(() => voyage.sail('Rome')))
      })

      expect(said).to.match(/^CONTEXT_DIFFERS testing\.sail .*: user\.roles\[1\] has another value there\./)
      expect(said).to.not.match(/sesame|captain|cook/)
    })

    it('sees what carriers bring, and what they do not', async () => {
      await given()
      let kept = 'blue'
      carry({ name: 'testing.kept', capture: () => kept, restore: (state, next) => ((kept = state), next()) })
      await testing.assertSameContext(() => voyage.sail('Nice'))
      let lost = 1
      carry({ name: 'testing.lost', capture: () => lost++, restore: (_state, next) => next() })

      expect(await reason(testing.assertSameContext(() => voyage.sail('Rome')))).to.match(/carrier "testing\.lost" has another value there/)
    })

    it('says why a task did not run', async () => {
      await given({ clock: 'fake' })
      expect(await reason(testing.assertSameContext(() => voyage.embark()))).to.match(/^CONTEXT_DIFFERS .*did not run, because it is delayed/)
      await testing.stop()

      await given({ mode: 'capture' })
      expect(await reason(testing.assertSameContext(() => voyage.sail('Nice')))).to.match(/^CALL_INVALID .*mode: 'capture'/)
    })
  })

  it('refuses options that it does not have', async () => {
    await given()
    await testing.stop()

    expect(await reason(startTesting({ clok: 'fake' } as TestingOptions))).to.match(/^OPTION_INVALID .*Did you mean "clock"\?/)
  })
})
