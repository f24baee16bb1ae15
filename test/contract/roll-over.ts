import { expect } from 'chai'
import type { ConfigInput } from 'errand'
import { LaneApp } from '../kit/lane-app.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

const ROLLS = 5
const CALLS = 400
const PATIENCE_MS = 120_000

/** What becomes of tasks while their workers are replaced one after the other, as in a deploy, whatever the broker. */
export function rollOver(name: string, config: () => Promise<ConfigInput>): void {
  describe(`Workers on ${name} that are replaced under load`, function () {
    this.timeout(PATIENCE_MS + 60_000)
    const scope = eachScope()

    it('end by themselves, and each task runs once, in whatever isolation', async () => {
      const app = new LaneApp(scope(), await config())
      const isolated = ['where.thread', 'where.process']
      const sent: string[] = []
      let old = await app.worker()

      for (let roll = 1; roll <= ROLLS; roll++) {
        const next = await app.worker()
        for (let index = 0; index < CALLS / ROLLS; index++) {
          const task = index % 20 === 0 ? isolated[(index / 20) % 2] : undefined
          sent.push(await (task === undefined ? app.call('brief', 20) : app.call(task)))
        }
        await until('some of its work', () => app.deeds().some(({ pid }) => pid === next.pid), PATIENCE_MS)
        old.kill('SIGTERM')
        expect(await old.exited).to.deep.equal({ code: 0, signal: null })
        old = next
      }
      await until('all', () => app.deeds().length >= CALLS, PATIENCE_MS)
      old.kill('SIGTERM')
      expect(await old.exited).to.deep.equal({ code: 0, signal: null })

      expect(app.deeds().map(({ id }) => id).toSorted()).to.deep.equal(sent.toSorted())
      expect(new Set(app.deeds().map(({ attempt }) => attempt))).to.deep.equal(new Set([1]))
      const { broker } = await app.composed()
      expect(await broker.count('default')).to.deep.equal({ waiting: 0, dead: 0 })
    })
  })
}
