import { expect } from 'chai'
import { writeFileSync } from 'node:fs'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'
import { WorkerApp } from '../kit/worker-app.js'

describe('An error in a worker that nothing caught', () => {
  const scope = eachScope()

  for (const how of ['exception', 'rejection']) {
    it(`counts against the task that left the ${how} behind, and not against its neighbours`, async () => {
      const app = new WorkerApp(scope())
      const gate = scope().file('gate')
      const neighbours = [1, 2].map(() => ({ task: 'hold', args: [app.notesFile, gate] }) as const)
      const server = app.server({ config: { maxCrashes: 1 }, calls: [...neighbours, { task: 'failOutside', args: [app.notesFile, how] }] })

      const begun = await app.noted(5)
      await server.line(/Work\.failOutside is not run again: 1 of its runs/)
      writeFileSync(gate, '')
      await until('the ends', () => app.notes().filter(({ text }) => text === 'ended').length === 2)

      expect(new Set(begun.map(({ pid }) => pid)).size).to.equal(2)
      expect(app.notes().map(({ attempt }) => attempt)).to.deep.equal(Array.from({ length: 7 }, () => 1))
    })
  }
})
