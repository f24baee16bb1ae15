import { expect } from 'chai'
import type { Figure } from '../../bench/figures/figure.js'
import { measureAll } from '../../bench/rounds.js'
import { Servers } from '../../bench/servers.js'
import { fakeSystem } from './fake-systems.js'

const systems = ['a', 'b', 'c'].map((name) => fakeSystem(name))
const plan = { systems, sizes: { count: 1, calls: 1, backlog: 1 }, servers: new Servers(), say: () => {} }

const works: Figure = { name: 'works', measure: async () => ({ 'works, ms': 1 }) }
const breaks: Figure = { name: 'breaks', measure: () => Promise.reject(new Error('the worker is gone')) }

describe('The rounds of the bench', () => {
  it('begin with another system each, so that every system is measured once in every round', async () => {
    const measured = await measureAll({ ...plan, figures: [works], rounds: 4 })

    expect(measured.map(({ round, system }) => `${round}${system}`).join(' ')).to.equal('0a 0b 0c 1b 1c 1a 2c 2a 2b 3a 3b 3c')
  })

  it('keep what the other figures gave where one failed, with the reason', async () => {
    const [measured] = await measureAll({ ...plan, figures: [breaks, works], rounds: 1 })

    expect(measured).to.deep.include({ values: { 'works, ms': 1 }, failures: ['a, breaks: the worker is gone'] })
  })
})
