import { expect } from 'chai'
import type { Figure } from '../../bench/figures/figure.js'
import { measureAll } from '../../bench/rounds.js'
import { Servers } from '../../bench/servers.js'
import { fakeSystem } from './fake-systems.js'

const systems = ['a', 'b', 'c'].map((name) => fakeSystem(name))
const plan = { systems, sizes: { count: 1, calls: 1, backlog: 1 }, servers: new Servers(), say: () => {} }

const asksForSizes: Figure = { name: 'sizes', measure: async ({ sizes }) => ({ ...sizes }) }
const warmsUp: Figure = {
  name: 'warms up',
  measure: async (bench) => {
    let tasks = 0
    await bench.warmUp(async (count) => void (tasks += count))
    return { tasks }
  },
}

const works: Figure = { name: 'works', measure: async () => ({ 'works, ms': 1 }) }
const breaks: Figure = { name: 'breaks', measure: () => Promise.reject(new Error('the worker is gone')) }

describe('The rounds of the bench', () => {
  it('begin with another system each, so that every system is measured once in every round', async () => {
    const measured = await measureAll({ ...plan, figures: [works], rounds: 4 })

    expect(measured.map(({ round, system }) => `${round}${system}`).join(' ')).to.equal('0a 0b 0c 1b 1c 1a 2c 2a 2b 3a 3b 3c')
  })

  it('give a slow system no more tasks than it is to be given, nor more to warm up, and the others all of them', async () => {
    const slow = { ...fakeSystem('slow'), most: 30 }
    const sizes = { count: 20_000, calls: 20, backlog: 1_000_000 }

    const measured = await measureAll({ ...plan, systems: [slow, fakeSystem('fast')], sizes, figures: [asksForSizes, warmsUp], rounds: 1 })

    expect(measured.map(({ values }) => values)).to.deep.equal([
      { count: 30, calls: 20, backlog: 30, tasks: 30 },
      { ...sizes, tasks: 16_000 },
    ])
  })

  it('keep what the other figures gave where one failed, with the reason', async () => {
    const [measured] = await measureAll({ ...plan, figures: [breaks, works], rounds: 1 })

    expect(measured).to.deep.include({ values: { 'works, ms': 1 }, failures: ['a, breaks: the worker is gone'] })
  })
})
