import { expect } from 'chai'
import { systemClock } from '#src/core/clock.js'
import { LastingTrouble } from '#src/core/lasting-trouble.js'
import { FakeClock } from '../kit/fake-clock.js'

const HOUR_S = 3600

describe('A trouble that lasts', () => {
  it('is told at once, then at distances that double, and once a minute at last, with the number of attempts', async () => {
    const clock = new FakeClock()
    const trouble = new LastingTrouble(clock)
    const told: { readonly second: number; readonly line: string }[] = []

    for (let second = 0; second < HOUR_S; second++) {
      const line = trouble.failed('away')
      if (line !== undefined) told.push({ second, line })
      await clock.pass(1000)
    }

    expect(told.slice(0, 8).map(({ second }) => second)).to.deep.equal([0, 2, 6, 14, 30, 62, 122, 182])
    expect(told.slice(0, 2).map(({ line }) => line)).to.deep.equal(['', ', 3 attempts until now in 2 s'])
    expect(told.length).to.be.below(5 + HOUR_S / 60 + 1)
    expect(trouble.over()).to.equal(`, after ${HOUR_S} attempts in vain in ${HOUR_S} s`)
  })

  it('is told at once where it is another one, or comes after it was over', () => {
    const trouble = new LastingTrouble(new FakeClock())

    expect([trouble.failed('away'), trouble.failed('away'), trouble.failed('refused')]).to.deep.equal(['', undefined, ', 3 attempts until now in 0 s'])
    trouble.over()
    expect([trouble.failed('away'), trouble.over(), trouble.over()]).to.deep.equal(['', ', after 1 attempt in vain in 0 s', ''])
  })

  it('is told also by a system whose time was set back', async () => {
    let now = 10 * HOUR_S * 1000
    const trouble = new LastingTrouble({ now: () => now, after: systemClock.after })
    trouble.failed('away')

    now -= HOUR_S * 1000

    expect(trouble.failed('away')).to.equal(', 2 attempts until now in 0 s')
  })
})
