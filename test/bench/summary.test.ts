import { expect } from 'chai'
import type { Goal } from '../../bench/goals.js'
import type { Measured } from '../../bench/rounds.js'
import { summaryOf } from '../../bench/summary.js'
import { inRound, inRounds } from './measured.js'

const RATE = 'tasks/s'
const half: Goal = { system: 'errand-sqlite', against: 'raw-sqlite', title: RATE, atLeast: 0.5, why: 'where it says why of rates' }
const fewMs: Goal = { system: 'errand-sqlite', title: 'p50 ms', atMost: 5, why: 'where it says why of waits' }

/** As many rounds as ratios, of a machine whose speed differs by ten times between them. */
const withRatios = (...ratios: readonly number[]): readonly Measured[] => {
  const limits = ratios.map((_, round) => (round % 2 === 0 ? 1000 : 10_000))
  return [...inRounds('raw-sqlite', RATE, limits), ...inRounds('errand-sqlite', RATE, ratios.map((ratio, round) => ratio * (limits[round] ?? 0)))]
}

const withMs = (...values: readonly number[]): readonly Measured[] => inRounds('errand-sqlite', 'p50 ms', values)

const rowsOf = (goals: readonly Goal[], measured: readonly Measured[]): readonly string[] =>
  summaryOf(goals, measured).split('\n').filter((line) => line.startsWith('|'))

const verdictOf = (goal: Goal, measured: readonly Measured[]): string | undefined => rowsOf([goal], measured)[2]?.split(' | ')[4]

describe('A goal of the bench', () => {
  it('is met where the middle reaches it, even if some rounds do not', () => {
    expect(verdictOf(half, withRatios(0.4, 0.6, 0.55))).to.equal('met')
    expect(verdictOf(fewMs, withMs(9, 4, 3))).to.equal('met')
  })

  it('is met where the middle is exactly what was wanted', () => {
    expect(verdictOf(half, withRatios(0.5))).to.equal('met')
    expect(verdictOf(fewMs, withMs(4, 5, 6))).to.equal('met')
  })

  it('is open where the middle misses it and a single round reaches it', () => {
    expect(verdictOf(half, withRatios(0.1, 0.49, 0.5))).to.equal('open')
    expect(verdictOf(fewMs, withMs(6, 5, 7))).to.equal('open')
  })

  it('is missed only where every round lies on the wrong side', () => {
    expect(verdictOf(half, withRatios(0.1, 0.49, 0.499))).to.equal('**missed**')
    expect(verdictOf(fewMs, withMs(5.01, 6, 7))).to.equal('**missed**')
  })

  it('is judged by the ratios within the rounds, not by the ratio of the middles', () => {
    const measured = [...inRounds('raw-sqlite', RATE, [100, 1000, 10_000]), ...inRounds('errand-sqlite', RATE, [60, 400, 6000])]

    expect(verdictOf(half, measured)).to.equal('met')
  })
})

describe('The table of goals', () => {
  it('has a row for each goal, with what was wanted and the middle and range of what came out', () => {
    const measured = [...withRatios(0.25, 0.5, 0.75), ...withMs(6, 7)]

    expect(rowsOf([half, fewMs], measured)).to.deep.equal([
      '| system | value | goal | measured | | why |',
      '|---|---|---|---|---|---|',
      '| errand-sqlite | tasks/s | at least 0.5 x raw-sqlite | 0.500 (0.250-0.750) | met |  |',
      '| errand-sqlite | p50 ms | at most 5 | 6.50 (6.00-7.00) | **missed** | where it says why of waits |',
    ])
  })

  it('says of a missed goal where it is explained, and of an open one nothing', () => {
    const rows = rowsOf([half, fewMs], [...withRatios(0.1), ...withMs(5, 9)])

    expect(rows.slice(2).map((row) => row.split('|').at(-2))).to.deep.equal([' where it says why of rates ', '  '])
  })

  it('says which other value a goal is compared with, and names the system only where it is another', () => {
    const measured = [inRound(0, 'errand-sqlite', { full: 95, empty: 100 }), inRound(0, 'raw-sqlite', { empty: 100 })]
    const own: Goal = { system: 'errand-sqlite', against: 'errand-sqlite', title: 'full', as: 'empty', atLeast: 0.9, why: '' }

    const rows = rowsOf([own, { ...own, against: 'raw-sqlite' }], measured)

    expect(rows.slice(2)).to.deep.equal([
      '| errand-sqlite | full | at least 0.9 x "empty" | 0.950 | met |  |',
      '| errand-sqlite | full | at least 0.9 x raw-sqlite, "empty" | 0.950 | met |  |',
    ])
  })

  it('begins with how many are met, and counts an open one as not met', () => {
    const measured = [...withRatios(0.4, 0.45, 0.5), ...withMs(4)]

    expect(summaryOf([half, fewMs], measured)).to.match(/^1 of 2 goals are met; 0 more were not measured\./)
  })

  it('only counts goals of which nothing was measured, also where only the yardstick is missing', () => {
    const ofPeer: Goal = { ...half, against: 'plainjob' }
    const ofFigure: Goal = { ...half, title: 'results/s' }

    const summary = summaryOf([half, ofPeer, ofFigure], withRatios(0.6))

    expect(summary).to.match(/^1 of 1 goals are met; 2 more were not measured\./)
    expect(summary).not.to.include('plainjob').and.not.to.include('results/s')
  })

  it('is not there where no goal was measured', () => {
    expect(summaryOf([half, fewMs], [])).to.match(/^0 of 0 goals are met; 2 more were not measured\./).and.not.to.include('|')
  })
})
