import { expect } from 'chai'
import { ratiosOf, valuesOf } from '../../bench/ratios.js'
import { inRound, inRounds } from './measured.js'

const errandToRaw = { system: 'errand-sqlite', against: 'raw-sqlite' }

describe('A ratio of the bench', () => {
  it('is taken within one round, whatever order the systems had in it', () => {
    const measured = [
      inRound(0, 'raw-sqlite', { rate: 100 }),
      inRound(0, 'errand-sqlite', { rate: 50 }),
      inRound(1, 'errand-sqlite', { rate: 10 }),
      inRound(1, 'raw-sqlite', { rate: 40 }),
    ]

    expect(ratiosOf('rate', measured, errandToRaw)).to.deep.equal([0.5, 0.25])
  })

  it('is left out of a round in which one of the two has no value', () => {
    const measured = [
      inRound(0, 'raw-sqlite', {}),
      inRound(0, 'errand-sqlite', { rate: 50 }),
      inRound(1, 'raw-sqlite', { rate: 100 }),
      inRound(1, 'errand-sqlite', {}),
      inRound(2, 'errand-sqlite', { rate: 50 }),
      inRound(3, 'raw-sqlite', { rate: 100 }),
      inRound(3, 'errand-sqlite', { rate: 60 }),
    ]

    expect(ratiosOf('rate', measured, errandToRaw)).to.deep.equal([0.6])
  })

  it('is left out where the yardstick used nothing', () => {
    const measured = [...inRounds('raw-sqlite', 'CPU', [0, 2, 0]), ...inRounds('errand-sqlite', 'CPU', [1, 1, 0])]

    expect(ratiosOf('CPU', measured, errandToRaw)).to.deep.equal([0.5])
  })

  it('can be that to another value, also of the same system', () => {
    const measured = [inRound(0, 'errand-sqlite', { empty: 100, full: 90 }), inRound(1, 'errand-sqlite', { empty: 200, full: 100 })]

    const ratios = ratiosOf('full', measured, { system: 'errand-sqlite', against: 'errand-sqlite', as: 'empty' })

    expect(ratios).to.deep.equal([0.9, 0.5])
  })
})

describe('The values of a system', () => {
  it('come from the rounds that have them; nothing used is a value', () => {
    const measured = [
      inRound(0, 'errand-sqlite', { CPU: 0 }),
      inRound(0, 'raw-sqlite', { CPU: 7 }),
      inRound(1, 'errand-sqlite', {}),
      inRound(2, 'errand-sqlite', { CPU: 2 }),
    ]

    expect(valuesOf('CPU', 'errand-sqlite', measured)).to.deep.equal([0, 2])
  })
})
