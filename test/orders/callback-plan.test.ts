import { expect } from 'chai'
import { asyncTask, ErrandError } from 'errand'
import { assert, constantFrom, double, integer, property } from 'fast-check'
import { failed, refusedBy, type CallbackFailure } from '#src/orders/callback/callback-failure.js'
import { planCallback } from '#src/orders/callback/plan.js'

const HOUR = 3_600_000
const URL_OF_RECEIVER = new URL('https://hooks.example/')
const passing = (waitMs = 0): CallbackFailure => refusedBy(URL_OF_RECEIVER, 503, waitMs)

describe('the pauses between the calls of a receiver', () => {
  it('grow fourfold from 5 s to 6 h, up to half of each left out by chance', () => {
    const longest = Array.from({ length: 8 }, (_, index) => planCallback({ failures: index + 1, error: passing() }, 8, () => 1))
    const shortest = planCallback({ failures: 1, error: passing() }, 8, () => 0)

    expect(longest).to.deep.equal([5_000, 20_000, 80_000, 320_000, 1_280_000, 5_120_000, 20_480_000, 6 * HOUR])
    expect(shortest).to.equal(2_500)
  })

  it('are never shorter than the receiver asked for, and end with the retries', () => {
    assert(
      property(integer({ min: 1, max: 200 }), integer({ min: 0, max: 100 }), integer({ min: 0, max: 24 * HOUR }), (failures, retries, waitMs) => {
        const pause = planCallback({ failures, error: passing(waitMs) }, retries)
        return failures > retries ? pause === undefined : pause !== undefined && pause >= waitMs && pause <= Math.max(waitMs, 6 * HOUR)
      }),
    )
  })

  it('follow only what may pass: the network, the store, 5xx and 429', () => {
    expect(planCallback({ failures: 1, error: new ErrandError('STORE_UNREACHABLE', 'away') }, 1)).to.be.a('number')
    expect(planCallback({ failures: 1, error: new ErrandError('CALLBACK_REFUSED', 'no') }, 1)).to.equal(undefined)
    expect(planCallback({ failures: 1, error: failed(URL_OF_RECEIVER, 'ECONNRESET') }, 1)).to.be.a('number')
    assert(
      property(integer({ min: 300, max: 599 }), (status) => (planCallback({ failures: 1, error: refusedBy(URL_OF_RECEIVER, status, 0) }, 1) !== undefined) === (status >= 500 || status === 429)),
    )
    assert(property(constantFrom(new Error('x'), undefined, 'x', new TypeError('y')), double({ min: 0, max: 1, noNaN: true }), (error, chance) => planCallback({ failures: 1, error }, 8, () => chance) === undefined))
  })
})

describe('the names that belong to this library', () => {
  it('are refused for a class as well', () => {
    const declare = () => {
      class errand {
        @asyncTask()
        async callback(): Promise<void> {}
      }
      return errand
    }
    expect(declare).to.throw('"errand."').with.property('code', 'DECORATOR_MISUSED')
  })
})
