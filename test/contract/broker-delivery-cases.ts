import { expect } from 'chai'
import { newId } from '#src/core/clock.js'
import { DONE, type BrokerCases } from './broker-case.js'
import type { Verdict } from '#src/broker/broker.js'

const DAY_MS = 86_400_000

export const publishCases: BrokerCases = {
  'a message published before anyone consumes is delivered when a consumer comes': async (c) => {
    const id = await c.publish()

    const got = await c.collect()

    await c.until('the message', () => got.length === 1)
    expect(got[0]?.id).to.equal(id)
  },

  'a message reaches a consumer that is waiting already, from another connection': async (c) => {
    const got = await c.collect()

    const id = await c.publish({}, await c.second())

    await c.until('the message', () => got.length === 1)
    expect(got[0]?.id).to.equal(id)
  },

  'a first delivery is attempt 1 without crashes, of priority 4, without a note': async (c) => {
    await c.publish({ body: Buffer.from('plain') })

    const got = await c.collect()

    const first = await c.until('the message', () => got[0])
    expect(first).to.include({ queue: c.queue, attempt: 1, crashes: 0, priority: 4 })
    expect(first.note).to.equal(undefined)
    expect(first.body.toString()).to.equal('plain')
  },

  'attempt and priority arrive as they were published': async (c) => {
    await c.publish({ attempt: 3, priority: 7 })

    const got = await c.collect()

    expect(await c.until('the message', () => got[0])).to.include({ attempt: 3, crashes: 0, priority: 7 })
  },

  'messages of one publisher reach a lone consumer in the order of publishing': async (c) => {
    const sent: string[] = []
    for (let number = 0; number < 30; number++) sent.push(await c.publish())

    const got = await c.collect(() => DONE, { concurrency: 1 })

    await c.until('30 messages', () => got.length === 30)
    expect(got.map(({ id }) => id)).to.deep.equal(sent)
  },

  'an id published twice is delivered at least once, and both publishes resolve': async (c) => {
    const id = newId()
    await c.publish({ id })
    await c.publish({ id })

    const got = await c.collect()

    await c.until('the message', () => got.length > 0)
    expect(new Set(got.map((delivery) => delivery.id))).to.deep.equal(new Set([id]))
  },

  'a message goes to its own queue only': async (c) => {
    const other = await c.collect(() => DONE, { queue: `${c.queue}-other` })
    const own = await c.collect()

    const id = await c.publish({ queue: `${c.queue}-other` })

    await c.until('the message', () => other.length === 1)
    await c.drained(own)
    expect(own.map((delivery) => delivery.id)).not.to.include(id)
  },

  'changing the buffer after publish resolved does not change the message': async (c) => {
    const body = Buffer.from('before')
    await c.publish({ body })
    body.write('AFTER!')

    const got = await c.collect()

    expect((await c.until('the message', () => got[0])).body.toString()).to.equal('before')
  },
}

export const settleCases: BrokerCases = {
  'a delivery that is done does not come again': async (c) => {
    const id = await c.publish()
    const got = await c.collect()

    await c.until('the message', () => got.length === 1)
    await c.drained(got)

    expect(got.filter((delivery) => delivery.id === id)).to.have.length(1)
    await c.until('an empty queue', async () => (await c.broker.count(c.queue)).waiting === 0)
  },

  'asked for again, a message comes back as the next attempt, otherwise unchanged': async (c) => {
    const id = await c.publish({ body: Buffer.from('same'), priority: 6 })

    const got = await c.collect(({ attempt }) => (attempt < 3 ? { kind: 'again', delayMs: 0 } : DONE))

    await c.until('three attempts', () => got.length === 3)
    expect(got.map(({ attempt, crashes }) => [attempt, crashes])).to.deep.equal([[1, 0], [2, 0], [3, 0]])
    expect(got.every((one) => one.id === id && one.priority === 6 && one.body.toString() === 'same')).to.equal(true)
  },

  'asked for again after a delay, a message does not come before it is over': async (c) => {
    const times: number[] = []
    await c.publish()

    const got = await c.collect(({ attempt }) => {
      times.push(Date.now())
      return attempt === 1 ? { kind: 'again', delayMs: 300 } : DONE
    })

    await c.until('the second attempt', () => got.length === 2)
    expect((times[1] ?? 0) - (times[0] ?? 0)).to.be.at.least(300)
  },

  'a released delivery comes back as the same attempt': async (c) => {
    const id = await c.publish()
    let verdict: Verdict = { kind: 'release' }

    const got = await c.collect(() => {
      const now = verdict
      verdict = DONE
      return now
    })

    await c.until('the message again', () => got.length === 2)
    expect(got.map((one) => [one.id, one.attempt, one.crashes])).to.deep.equal([[id, 1, 0], [id, 1, 0]])
  },

  'a delivery whose handler throws counts as a lost run and comes again': async (c) => {
    await c.publish()

    const got = await c.collect(({ attempt }) => {
      if (attempt === 1) throw new Error('a defect')
      return DONE
    })

    expect(await c.until('the second attempt', () => got[1])).to.include({ attempt: 2, crashes: 1 })
  },

  'no more than the concurrency is handed out at a time': async (c) => {
    for (let number = 0; number < 8; number++) await c.publish()
    const { held } = await c.hold({ concurrency: 3 })
    await c.nth(held, 3)

    for (let taken = 3; taken < 8; taken++) {
      expect(held).to.have.length(taken)
      held[taken - 3]?.settle(DONE)
      await c.nth(held, taken + 1)
    }
    for (const one of held) one.settle(DONE)
  },

  'a delivery that takes long does not hold up the others': async (c) => {
    const { held } = await c.hold({ concurrency: 2 })
    const slow = await c.publish()
    await c.nth(held, 1)

    for (let number = 2; number < 12; number++) {
      await c.publish()
      ;(await c.nth(held, number)).settle(DONE)
    }

    expect(held[0]?.delivery.id).to.equal(slow)
    held[0]?.settle(DONE)
  },
}

export const delayCases: BrokerCases = {
  'a delayed message does not come before its delay is over': async (c) => {
    const cameAt = new Map<string, number>()
    const got = await c.collect((delivery) => {
      cameAt.set(delivery.id, Date.now())
      return DONE
    })
    const before = Date.now()
    const id = await c.publish({ delayMs: 400 })

    await c.drained(got)
    await c.until('the message', () => cameAt.has(id))

    expect((cameAt.get(id) ?? 0) - before).to.be.at.least(400)
  },

  'a short delay is not held up by a longer one published before': async (c) => {
    const long = await c.publish({ delayMs: 60_000 })
    const short = await c.publish({ delayMs: 200 })

    const got = await c.collect()

    await c.until('the message', () => got.length > 0)
    expect(got.map((delivery) => delivery.id)).to.deep.equal([short]).and.not.include(long)
  },

  'a message may wait for months': async (c) => {
    const far = await c.publish({ delayMs: 200 * DAY_MS })

    const got = await c.collect()

    await c.drained(got)
    expect(got.map((delivery) => delivery.id)).not.to.include(far)
  },

  'a delayed message counts as waiting': async (c) => {
    await c.publish({ delayMs: 60_000 })
    await c.publish()

    await c.until('two that wait', async () => (await c.broker.count(c.queue)).waiting === 2)
  },

  'among waiting messages the one of higher priority is delivered first': async (c) => {
    for (const priority of [1, 9, 5, 0, 9]) await c.publish({ priority })

    const got = await c.collect(() => DONE, { concurrency: 1 })

    await c.until('five messages', () => got.length === 5)
    expect(got.map(({ priority }) => priority)).to.deep.equal([9, 9, 5, 1, 0])
  },
}
