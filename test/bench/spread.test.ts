import { expect } from 'chai'
import { median, show, spread } from '../../bench/spread.js'

describe('The middle and the range of the bench', () => {
  it('the middle is the value in the middle by size, in whatever order the rounds came', () => {
    expect(median([100, 9, 20])).to.equal(20)
  })

  it('the middle of an even number of rounds lies between the two in the middle', () => {
    expect(median([4, 100, 1, 3])).to.equal(3.5)
  })

  it('there is no middle of nothing', () => {
    expect(median([])).to.be.NaN
  })

  it('to look for the middle leaves the order of the rounds as it was', () => {
    const rounds = [3, 1, 2]
    median(rounds)
    expect(rounds).to.deep.equal([3, 1, 2])
  })

  it('a cell has the middle, then the least and the most', () => {
    expect(spread([9, 5, 6, 100])).to.equal('7.50 (5.00-100)')
  })

  it('a cell has one number where all rounds agree, and a dash where there are none', () => {
    expect(spread([5, 5])).to.equal('5.00')
    expect(spread([])).to.equal('-')
  })

  it('numbers have three digits, or all of them before the point', () => {
    expect([0, 0.12345, 1.2345, 12.345, 99.96, 123.45, 1_234_567.8].map(show)).to.deep.equal(['0.00', '0.123', '1.23', '12.3', '100.0', '123', '1,234,568'])
  })
})
