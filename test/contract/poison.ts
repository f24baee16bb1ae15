import { expect } from 'chai'
import type { ConfigInput } from 'errand'
import { LaneApp, type Deed } from '../kit/lane-app.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

const CALLS = 1_000
const POISON: readonly string[] = ['SIGKILL', 'abort', 'SIGKILL', 'abort', 'exit']
const PATIENCE_MS = 240_000

/** What becomes of tasks that kill their worker, and of their neighbours, whatever the broker: registered as a mocha suite. */
export function poison(name: string, config: () => Promise<ConfigInput>): void {
  describe(`Tasks on ${name} that kill their worker`, function () {
    this.timeout(PATIENCE_MS + 60_000)
    const scope = eachScope()

    it('are found among a thousand: they alone are given up, and the others are all done', async () => {
      const app = new LaneApp(scope(), await config())
      const poisonous = new Set<string>()
      const innocent = new Set<string>()
      for (let index = 0; index < CALLS - POISON.length; index++) {
        const how = index % 200 === 100 ? POISON[poisonous.size] : undefined
        if (how !== undefined) poisonous.add(await app.call('die.inline', how))
        innocent.add(await app.call('brief', 1))
      }

      const server = app.server({ worker: { concurrency: 10 } })
      const dead = await app.dead(POISON.length, PATIENCE_MS)
      await until('the innocent', () => distinct(app.deeds(), 'done').size === innocent.size, PATIENCE_MS)

      expect(new Set(dead.map(({ id }) => id))).to.deep.equal(poisonous)
      expect(dead.map(({ code }) => code)).to.deep.equal(POISON.map(() => 'TASK_FAILED'))
      for (const { reason, crashes } of dead) {
        expect(crashes).to.be.at.least(3)
        expect(reason).to.match(/die\.inline is not run again: \d+ of its runs ended with the death/)
      }
      expect(distinct(app.deeds(), 'done')).to.deep.equal(innocent)
      const { broker } = await app.composed()
      // what had ended in the hands of a worker that died, unsettled, is done once more
      await until('nothing to wait', async () => (await broker.count('default')).waiting === 0)
      expect(await broker.count('default')).to.deep.equal({ waiting: 0, dead: POISON.length })
      expect(server.output).not.to.contain('WORKER_CRASH_LOOP')
      expect(deaths(server.output)).to.be.at.most(2 * POISON.length)
    })
  })
}

const distinct = (deeds: readonly Deed[], text: string): ReadonlySet<string> => new Set(deeds.filter((deed) => deed.text === text).map(({ id }) => id))

const deaths = (output: string): number => output.split('\n').filter((line) => line.includes('the next one starts in')).length
