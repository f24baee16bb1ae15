import { expect } from 'chai'
import { readFileSync } from 'node:fs'
import { goals } from '../../bench/goals.js'
import { findSystem } from '../../bench/systems/index.js'

describe('The goals of the bench', () => {
  it('are of systems that there are, and compared with such', () => {
    for (const { system, against = system } of goals) {
      expect(findSystem(system).name).to.equal(system)
      expect(findSystem(against).name).to.equal(against)
    }
  })

  it('name a part of the document that there is, where it is told why they are missed', () => {
    const text = readFileSync('docs/performance.md', 'utf8')
    for (const { why, title } of goals) {
      const [, part] = /^docs\/performance\.md, (.+)$/.exec(why) ?? []
      const isThere = text.split('\n').some((line) => line === `## ${part}` || line.startsWith(`- **${part}**`))
      expect(isThere, `${title}: ${why}`).to.equal(true)
    }
  })

  it('bound a value on one side', () => {
    for (const goal of goals) expect([goal.atLeast, goal.atMost].filter((bound) => bound !== undefined), JSON.stringify(goal)).to.have.lengthOf(1)
  })
})
