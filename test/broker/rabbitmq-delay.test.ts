import { expect } from 'chai'
import fc from 'fast-check'
import { DELAY_LEVELS, DELAY_STEP_MS, delayRoute, levelTtlMs, wordOf } from '#src/broker/rabbitmq/topology/delay.js'
import { Topology } from '#src/broker/rabbitmq/topology/topology.js'

const YEAR_MS = 366 * 86_400_000

describe('RabbitMQ delay levels', () => {
  it('make a message wait at least its delay, and less than a step longer', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: YEAR_MS, noNaN: true }), (delayMs) => {
        const { level, routingKey } = delayRoute(delayMs, 'word')
        const digits = routingKey.split('.').slice(0, -1)
        const waitedMs = digits.reduce((sum, digit, index) => sum + (digit === '1' ? levelTtlMs(index) : 0), 0)

        expect(digits).to.have.length(level + 1)
        expect(waitedMs).to.be.at.least(delayMs)
        expect(waitedMs - delayMs).to.be.lessThan(Math.max(DELAY_STEP_MS, delayMs * 1e-9 + DELAY_STEP_MS))
      }),
    )
  })

  it('reach a year and a day, with a routing key the server takes', () => {
    const { level, routingKey } = delayRoute(YEAR_MS, 'w'.repeat(197))

    expect(level).to.be.lessThan(DELAY_LEVELS)
    expect(Buffer.byteLength(routingKey)).to.be.at.most(255)
  })

  it('take the name of a queue as one word, different for different names', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (one, other) => {
        expect(wordOf(one)).not.to.match(/[.*#]/)
        expect(wordOf(one) === wordOf(other)).to.equal(one === other)
      }),
    )
  })

  it('pass a message on to the next lower level, and from the lowest to its queue', () => {
    const topology = new Topology('shop', 'quorum')

    const names = topology.delayLevel(0).map(({ kind, name }) => `${kind} ${name}`)

    expect(names).to.deep.equal([
      'exchange shop.delay.out',
      'exchange shop.delay.0',
      'queue shop.delay.0',
      'bind-queue shop.delay.0',
      'bind-exchange shop.delay.out',
    ])
    expect(topology.dueBinding('eu.mail').at(-1)).to.include({ name: 'shop.q.eu.mail', pattern: '#.eu%2Email' })
  })
})
