import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import fc from 'fast-check'
import { deadQueueOf } from '#src/broker/broker.js'
import { codeOf } from '../kit/code-of.js'
import { DONE, type BrokerCases } from './broker-case.js'

export const crashCases: BrokerCases = {
  'a message whose consumer died is delivered again, as attempt 2 with one crash': async (c) => {
    const id = await c.publish({ body: Buffer.from('keep me') })
    await c.crash()

    const got = await c.collect()

    const again = await c.until('the message', () => got[0])
    expect(again).to.include({ id, attempt: 2, crashes: 1 })
    expect(again.body.toString()).to.equal('keep me')
  },

  'every death counts': async (c) => {
    await c.publish({ attempt: 2 })
    await c.crash()
    await c.crash()

    const got = await c.collect()

    expect(await c.until('the message', () => got[0])).to.include({ attempt: 4, crashes: 2 })
  },

  'a consumer that is there already takes over from one that died': async (c) => {
    const { held } = await c.hold({ concurrency: 1 })
    await c.publish()
    const first = await c.nth(held, 1)
    const id = await c.publish()
    await c.crash()

    first.settle(DONE)

    expect((await c.nth(held, 2)).delivery).to.include({ id, attempt: 2, crashes: 1 })
    held[1]?.settle(DONE)
  },
}

export const stopCases: BrokerCases = {
  'a stopped subscription takes nothing new': async (c) => {
    const { held, subscription } = await c.hold()
    await subscription.stop()
    await subscription.stop()

    const id = await c.publish()
    const got = await c.collect()

    await c.until('the message, elsewhere', () => got.some((delivery) => delivery.id === id))
    expect(held).to.deep.equal([])
  },

  'what was in hand when the subscription stopped can still be settled': async (c) => {
    const id = await c.publish()
    const { held, subscription } = await c.hold()
    const mine = await c.nth(held, 1)
    await subscription.stop()

    mine.settle(DONE)
    const got = await c.collect()

    await c.drained(got)
    expect(got.map((delivery) => delivery.id)).not.to.include(id)
  },

  'what waited behind a stopped subscription goes to another, uncounted': async (c) => {
    const ids = [await c.publish(), await c.publish(), await c.publish()]
    const { held, subscription } = await c.hold({ concurrency: 1 })
    const mine = await c.nth(held, 1)
    await subscription.stop()

    const got = await c.collect()

    await c.until('the other two', () => got.length === 2)
    mine.settle(DONE)
    expect(got.map(({ id, attempt, crashes }) => [id, attempt, crashes])).to.deep.equal(ids.slice(1).map((id) => [id, 1, 0]))
  },

  'what was in hand when its connection closed comes to another': async (c) => {
    const id = await c.publish()
    const other = await c.second()
    const { held } = await c.hold({ broker: other })
    await c.nth(held, 1)

    await other.close()
    const got = await c.collect()

    await c.until('the message', () => got.some((delivery) => delivery.id === id))
  },

  'what ended just before its connection closed does not come again': async (c) => {
    const id = await c.publish()
    const other = await c.second()
    const { held, subscription } = await c.hold({ broker: other })
    const mine = await c.nth(held, 1)
    await subscription.stop()

    mine.settle(DONE)
    await other.close()
    const got = await c.collect()

    await c.drained(got)
    expect(got.map((delivery) => delivery.id)).not.to.include(id)
  },

  'what was handed back just before its connection closed comes once, uncounted': async (c) => {
    const id = await c.publish()
    const other = await c.second()
    const { held, subscription } = await c.hold({ broker: other })
    const mine = await c.nth(held, 1)
    await subscription.stop()

    mine.settle({ kind: 'release' })
    await other.close()
    const got = await c.collect()

    await c.until('the message', () => got.length > 0)
    await c.drained(got)
    expect(got.slice(0, -1).map(({ attempt, crashes, id: came }) => [came, attempt, crashes])).to.deep.equal([[id, 1, 0]])
  },

  'a message being published when the connection closes is stored': async (c) => {
    const other = await c.second()
    const publishing = c.publish({}, other)
    await other.close()
    const id = await publishing

    const got = await c.collect()

    await c.until('the message', () => got.some((delivery) => delivery.id === id))
  },

  'a closed broker refuses everything with BROKER_CLOSED, and closes twice': async (c) => {
    await c.broker.close()
    await c.broker.close()

    const refusals = [
      c.publish(),
      c.broker.consume(c.queue, { concurrency: 1 }, async () => DONE),
      c.broker.count(c.queue),
      c.broker.ping(),
    ]

    for (const refusal of refusals) expect(await codeOf(refusal)).to.equal('BROKER_CLOSED')
  },
}

export const deadLetterCases: BrokerCases = {
  'a dead delivery lies in the dead-letter queue, bytes unchanged, with its note': async (c) => {
    const id = await c.publish({ body: Buffer.from('poison'), attempt: 4 })
    await c.collect(() => ({ kind: 'dead', note: 'gave up: ünfug' }))

    const dead = await c.collect(() => DONE, { queue: deadQueueOf(c.queue) })

    const letter = await c.until('the dead letter', () => dead[0])
    expect(letter).to.include({ id, queue: deadQueueOf(c.queue), attempt: 4, note: 'gave up: ünfug' })
    expect(letter.body.toString()).to.equal('poison')
  },

  'the count tells what waits from what is dead': async (c) => {
    await c.publish({ priority: 9 })
    const got = await c.collect(() => ({ kind: 'dead', note: 'no' }), { concurrency: 1 })
    await c.until('the message', () => got.length === 1)
    await c.publish({ queue: `${c.queue}-idle` })

    await c.until('one dead', async () => (await c.broker.count(c.queue)).dead === 1)
    expect(await c.broker.count(c.queue)).to.deep.equal({ waiting: 0, dead: 1 })
    expect(await c.broker.count(`${c.queue}-idle`)).to.deep.equal({ waiting: 1, dead: 0 })
  },

  'a dead letter published again under its own id, and then done, is delivered once more': async (c) => {
    const id = await c.publish()
    let isHealed = false
    const got = await c.collect(() => (isHealed ? DONE : { kind: 'dead', note: 'not yet' }))
    const { held } = await c.hold({ queue: deadQueueOf(c.queue) })
    const letter = await c.nth(held, 1)

    isHealed = true
    await c.publish({ id, body: letter.delivery.body })
    letter.settle(DONE)

    await c.until('the message again', () => got.length === 2)
    expect(got[1]?.id).to.equal(id)
    await c.until('no dead letter', async () => (await c.broker.count(c.queue)).dead === 0)
  },
}

export const volumeCases: BrokerCases = {
  'random bytes arrive unchanged, none and many': async (c) => {
    const arrived = new Map<string, Buffer>()
    await c.collect(({ id, body }) => {
      arrived.set(id, body)
      return DONE
    })

    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 5_000 }), { minLength: 1, maxLength: 5 }), async (bodies) => {
        const send = async (bytes: Uint8Array) => ({ bytes, id: await c.publish({ body: Buffer.from(bytes) }) })
        const sent = await Promise.all(bodies.map(send))
        for (const { id, bytes } of sent) {
          const body = await c.until('the message', () => arrived.get(id))
          expect(Buffer.isBuffer(body) && body.equals(bytes)).to.equal(true)
        }
      }),
      { numRuns: 20, examples: [[[new Uint8Array(0), new Uint8Array([0, 255, 10, 13, 0])]]] },
    )
  },

  'a body of two megabytes arrives unchanged': async (c) => {
    const body = randomBytes(2 * 1024 * 1024)
    const got = await c.collect()

    await c.publish({ body })

    expect((await c.until('the message', () => got[0])).body.equals(body)).to.equal(true)
  },

  'ten thousand messages are each delivered once': async (c) => {
    const times = new Map<string, number>()
    await c.collect(({ id }) => {
      times.set(id, (times.get(id) ?? 0) + 1)
      return DONE
    }, { concurrency: 100, broker: await c.second() })

    for (let thousand = 0; thousand < 10; thousand++) {
      await Promise.all(Array.from({ length: 1_000 }, () => c.publish()))
    }

    await c.until('all of them', () => times.size === 10_000)
    await c.until('an empty queue', async () => (await c.broker.count(c.queue)).waiting === 0)
    expect([...times.values()].every((count) => count === 1)).to.equal(true)
  },

  'two consumers share a queue: each takes no more than it may hold': async (c) => {
    const one = await c.hold({ concurrency: 5 })
    const two = await c.hold({ concurrency: 5, broker: await c.second() })

    await Promise.all(Array.from({ length: 10 }, () => c.publish()))

    await c.until('all ten, five each', () => one.held.length === 5 && two.held.length === 5)
    expect(new Set([...one.held, ...two.held].map(({ delivery }) => delivery.id)).size).to.equal(10)
    for (const { settle } of [...one.held, ...two.held]) settle(DONE)
  },
}

export const healthCases: BrokerCases = {
  'a ping resolves while the connection stands': async (c) => {
    await c.broker.ping()
  },

  'a queue nobody ever used counts as empty': async (c) => {
    expect(await c.broker.count(c.queue)).to.deep.equal({ waiting: 0, dead: 0 })
  },
}
