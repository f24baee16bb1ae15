import { expect } from 'chai'
import type { Clock } from '#src/core/clock.js'
import { silentLogger } from '#src/core/logger.js'
import { warningWhenSlow } from '#worker/slow-module.js'

describe('A module that a worker loads', () => {
  /** Time that passes only when the test says so. */
  function fakeClock(): Clock & { pass(ms: number): void } {
    let now = 0
    let timers: { readonly at: number; readonly fn: () => void }[] = []
    return {
      now: () => now,
      after(ms, fn) {
        const timer = { at: now + ms, fn }
        timers.push(timer)
        return () => void (timers = timers.filter((other) => other !== timer))
      },
      pass(ms) {
        const end = now + ms
        for (let next = timers[0]; next !== undefined && next.at <= end; next = timers[0]) {
          timers.shift()
          now = next.at
          next.fn()
        }
        now = end
      },
    }
  }

  it('is warned about after 5 s and every 30 s from then on, until it has loaded', async () => {
    const clock = fakeClock()
    const lines: string[] = []
    let end: (exports: Record<string, unknown>) => void = () => {}
    const slow = warningWhenSlow(() => new Promise((resolve) => (end = resolve)), {
      log: { ...silentLogger, warn: (line) => void lines.push(line) },
      clock,
    })

    const loading = slow('file:///app/slow.js', 'service module')
    clock.pass(4_999)
    expect(lines).to.deep.equal([])
    clock.pass(60_001)
    end({ a: 1 })
    expect(await loading).to.deep.equal({ a: 1 })
    clock.pass(100_000)

    expect(lines.map((line) => /still loading the service module file:\/\/\/app\/slow\.js after (\d+) s/.exec(line)?.[1])).to.deep.equal(['5', '35', '65'])
  })
})
