import { expect } from 'chai'
import { reportOf } from '../../bench/report.js'
import { findSystem } from '../../bench/systems/index.js'
import type { Measured } from '../../bench/rounds.js'
import { fakeSystem } from './fake-systems.js'
import { inRound, inRounds } from './measured.js'

const systems = ['raw-sqlite', 'errand-sqlite'].map(findSystem)

const linesOf = (measured: readonly Measured[]): readonly string[] =>
  reportOf({ systems, measured, machine: 'a machine', versions: ['errand 1.0'], command: 'npm run bench' }).split('\n')

describe('The report of the bench', () => {
  it('has a table for each value, with the ratio to the limit within the rounds', () => {
    const lines = linesOf([...inRounds('raw-sqlite', 'start, ms', [10, 100, 40]), ...inRounds('errand-sqlite', 'start, ms', [20, 100, 120])])

    expect(lines.slice(lines.indexOf('### Start, ms'))).to.deep.equal([
      '### Start, ms',
      '',
      '| system | median (range) | x raw-sqlite |',
      '|---|---|---|',
      '| raw-sqlite | 40.0 (10.0-100) | 1 |',
      '| errand-sqlite | 100 (20.0-120) | 2.00 (1.00-3.00) |',
      '',
    ])
  })

  it('has the sizes of a value side by side, each with its ratio', () => {
    const ofSystem = (system: string, few: number, many: number): Measured => inRound(0, system, { 'queued, MB: 0': few, 'queued, MB: 1,000': many })

    const lines = linesOf([ofSystem('raw-sqlite', 10, 20), ofSystem('errand-sqlite', 15, 60)])

    expect(lines.slice(lines.indexOf('### Queued, MB') + 2)).to.deep.equal([
      '| system | 0 | 1,000 |',
      '|---|---|---|',
      '| raw-sqlite | 10.0 | 20.0 |',
      '| errand-sqlite | 15.0; x 1.50 | 60.0; x 3.00 |',
      '',
    ])
  })

  it('says of a system that is given fewer tasks how many they are', () => {
    const slow = fakeSystem('slow', { setting: 'one at a time', most: 1000 })

    const text = reportOf({ systems: [slow, fakeSystem('fast', { setting: 'all at once' })], measured: [], machine: '', versions: [], command: '' })

    expect(text).to.include('\n- slow: one at a time; no more than 1,000 tasks or calls for each value\n- fast: all at once\n')
  })

  it('tells what failed, in a line each', () => {
    const failed = { ...inRound(0, 'errand-sqlite', {}), failures: ['errand-sqlite, idle: it ended\nearly'] }

    expect(linesOf([failed])).to.include('- errand-sqlite, idle: it ended early')
  })
})
