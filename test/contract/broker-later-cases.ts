import { expect } from 'chai'
import { deadQueueOf, type Verdict } from '#src/broker/broker.js'
import { DONE, type BrokerCases } from './broker-case.js'

/** Answers `verdicts` one after the other, and from then on `done`. */
const inTurn = (...verdicts: readonly Verdict[]): (() => Verdict) => {
  const rest = [...verdicts]
  return () => rest.shift() ?? DONE
}

export const laterCases: BrokerCases = {
  'a postponed delivery comes again as it was, and not before its delay is over': async (c) => {
    const id = await c.publish({ body: Buffer.from('same'), attempt: 3, priority: 6 })
    const times: number[] = []
    const next = inTurn({ kind: 'later', delayMs: 300 })

    const got = await c.collect(() => {
      times.push(Date.now())
      return next()
    })

    await c.until('the message again', () => got.length === 2)
    expect((times[1] ?? 0) - (times[0] ?? 0)).to.be.at.least(300)
    expect(got[1]).to.include({ id, attempt: 3, crashes: 0, priority: 6 })
    expect(got[1]?.body.toString()).to.equal('same')
  },

  'a delivery postponed ten times, without a delay, is still the first attempt': async (c) => {
    const id = await c.publish()
    const later: Verdict = { kind: 'later', delayMs: 0 }

    const got = await c.collect(inTurn(...Array.from({ length: 10 }, () => later)))

    await c.until('eleven deliveries', () => got.length === 11)
    expect(got.every((one) => one.id === id && one.attempt === 1 && one.crashes === 0)).to.equal(true)
  },

  'a postponed delivery keeps its lost runs': async (c) => {
    await c.publish()
    const next = inTurn({ kind: 'later', delayMs: 0 }, { kind: 'later', delayMs: 20 })

    const got = await c.collect(({ attempt }) => {
      if (attempt === 1) throw new Error('a defect')
      return next()
    })

    await c.until('four deliveries', () => got.length === 4)
    expect(got.map(({ attempt, crashes }) => [attempt, crashes])).to.deep.equal([[1, 0], [2, 1], [2, 1], [2, 1]])
  },
}

export const noteCases: BrokerCases = {
  'the note of a retry is on its next delivery, also after a delay': async (c) => {
    await c.publish()

    const got = await c.collect(inTurn({ kind: 'again', delayMs: 0, note: 'first: ünfug' }, { kind: 'again', delayMs: 20, note: 'second' }))

    await c.until('three attempts', () => got.length === 3)
    expect(got.map(({ note }) => note)).to.deep.equal([undefined, 'first: ünfug', 'second'])
  },

  'a note stays until another one comes: through retries without one, postponing, handing back and lost runs': async (c) => {
    await c.publish()
    const next = inTurn(
      { kind: 'again', delayMs: 0, note: 'kept' },
      { kind: 'again', delayMs: 0 },
      { kind: 'later', delayMs: 20 },
      { kind: 'release' },
    )
    let isLost = false

    const got = await c.collect(({ attempt }) => {
      if (attempt === 3 && got.length === 5 && !isLost) {
        isLost = true
        throw new Error('a defect')
      }
      return next()
    })

    await c.until('six deliveries', () => got.length === 6)
    expect(got.map(({ note }) => note)).to.deep.equal([undefined, 'kept', 'kept', 'kept', 'kept', 'kept'])
  },

  'a note stays when the consumer dies': async (c) => {
    const id = await c.publish()
    const { held, subscription } = await c.hold()
    const mine = await c.nth(held, 1)
    await subscription.stop()
    mine.settle({ kind: 'again', delayMs: 0, note: 'written down' })
    await c.crash()

    const got = await c.collect()

    expect(await c.until('the message', () => got[0])).to.include({ id, attempt: 3, crashes: 1, note: 'written down' })
  },

  'the note of a dead letter takes the place of those before': async (c) => {
    await c.publish()
    await c.collect(inTurn({ kind: 'again', delayMs: 0, note: 'of the retry' }, { kind: 'dead', note: 'of the end' }))

    const dead = await c.collect(() => DONE, { queue: deadQueueOf(c.queue) })

    expect(await c.until('the dead letter', () => dead[0])).to.include({ attempt: 2, note: 'of the end' })
  },
}
