import { expect } from 'chai'
import { goals } from '../../bench/goals.js'
import { findSystem } from '../../bench/systems/index.js'

describe('The goals of the bench', () => {
  it('are of systems that there are, and compared with such', () => {
    for (const { system, against = system } of goals) {
      expect(findSystem(system).name).to.equal(system)
      expect(findSystem(against).name).to.equal(against)
    }
  })

  it('bound a value on one side', () => {
    for (const goal of goals) expect([goal.atLeast, goal.atMost].filter((bound) => bound !== undefined), JSON.stringify(goal)).to.have.lengthOf(1)
  })
})
