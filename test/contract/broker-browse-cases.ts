import { expect } from 'chai'
import { newId } from '#src/core/clock.js'
import { deadQueueOf, type Delivery, type OutgoingMessage, type Visit } from '#src/broker/broker.js'
import { DONE, type BrokerCase, type BrokerCases } from './broker-case.js'

const KEEP: Visit = { kind: 'keep' }
const MANY = 500

/** What a look shows, each message answered by `visit`. */
async function look(c: BrokerCase, visit: (delivery: Delivery) => Visit = () => KEEP, queue = c.queue): Promise<Delivery[]> {
  const seen: Delivery[] = []
  await c.broker.browse(queue, async (delivery) => {
    seen.push(delivery)
    return visit(delivery)
  })
  return seen
}

async function publishAll(c: BrokerCase, count: number, more: Partial<OutgoingMessage> = {}): Promise<string[]> {
  const ids: string[] = []
  for (let number = 0; number < count; number++) ids.push(await c.publish(more))
  return ids
}

const idsOf = (deliveries: readonly Delivery[]): string[] => deliveries.map(({ id }) => id)

/** Makes `count` dead letters of the queue of this test, whose consumer goes on. Answers their ids in order, and what was consumed. */
async function bury(c: BrokerCase, count: number): Promise<{ ids: string[]; consumed: Delivery[]; heal: () => void }> {
  let isHealed = false
  const consumed = await c.collect(() => (isHealed ? DONE : { kind: 'dead', note: 'no' }), { concurrency: 1 })
  const ids = await publishAll(c, count)
  await c.until('the dead letters', async () => (await c.broker.count(c.queue)).dead === count)
  return { ids, consumed, heal: () => void (isHealed = true) }
}

export const browseCases: BrokerCases = {
  'a look shows every waiting message once, the next one first, and they stay in their order': async (c) => {
    const ids = await publishAll(c, 30)

    expect(idsOf(await look(c))).to.deep.equal(ids)
    await c.until('all of them to be back', async () => (await c.broker.count(c.queue)).waiting === 30)

    const got = await c.collect(() => DONE, { concurrency: 1 })
    await c.until('thirty messages', () => got.length >= 30)
    expect(idsOf(got)).to.deep.equal(ids)
  },

  'a look at a message shows what a consumer would get': async (c) => {
    const id = await c.publish({ body: Buffer.from('looked at'), attempt: 4, priority: 7 })

    const [seen] = await look(c)

    expect(seen).to.include({ id, queue: c.queue, attempt: 4, crashes: 0, priority: 7 })
    expect(seen?.note).to.equal(undefined)
    expect(seen?.body.toString()).to.equal('looked at')
  },

  'being looked at is no run: the message is delivered as the same attempt, without a crash': async (c) => {
    const id = await c.publish({ attempt: 2 })
    await look(c)
    await look(c)

    const got = await c.collect()

    expect(await c.until('the message', () => got[0])).to.include({ id, attempt: 2, crashes: 0 })
  },

  'a look does not show what a consumer has in hand, nor what is delayed': async (c) => {
    const { held, subscription } = await c.hold({ concurrency: 1 })
    await c.publish()
    const mine = await c.nth(held, 1)
    await subscription.stop()
    await c.publish({ delayMs: 60_000 })
    const id = await c.publish()

    const seen = await look(c)

    expect(idsOf(seen)).to.deep.equal([id])
    mine.settle(DONE)
  },

  'a look at a queue that nobody ever used shows nothing': async (c) => {
    expect(await look(c)).to.deep.equal([])
  },

  'nothing is shown after a stop, and everything stays': async (c) => {
    const ids = await publishAll(c, 5)

    const seen = await look(c, ({ id }) => (id === ids[1] ? { kind: 'stop' } : KEEP))

    expect(idsOf(seen)).to.deep.equal(ids.slice(0, 2))
    await c.until('all of them to be back', async () => (await c.broker.count(c.queue)).waiting === 5)
    expect(idsOf(await look(c))).to.deep.equal(ids)
  },

  'what a look removes is gone, what it keeps stays in its order': async (c) => {
    const ids = await publishAll(c, 6)

    await look(c, ({ id }) => (ids.indexOf(id) % 2 === 0 ? { kind: 'remove' } : KEEP))

    const rest = [ids[1], ids[3], ids[5]]
    await c.until('three that wait', async () => (await c.broker.count(c.queue)).waiting === 3)
    expect(idsOf(await look(c))).to.deep.equal(rest)
    const got = await c.collect(() => DONE, { concurrency: 1 })
    await c.drained(got)
    expect(idsOf(got).slice(0, -1)).to.deep.equal(rest)
  },

  'what a look replaces is gone, and the other message is stored in its stead': async (c) => {
    await c.publish()
    const other = { id: newId(), queue: `${c.queue}-other`, body: Buffer.from('other'), attempt: 5, priority: 3 }

    await look(c, () => ({ kind: 'replace', message: other }))

    const got = await c.collect(() => DONE, { queue: other.queue })
    expect(await c.until('the other message', () => got[0])).to.include({ id: other.id, attempt: 5, priority: 3 })
    expect(await look(c)).to.deep.equal([])
  },

  'a message of no bytes is handed on by a look as it is': async (c) => {
    await c.publish({ body: Buffer.alloc(0) })
    const other = `${c.queue}-other`

    await look(c, ({ id, body }) => ({ kind: 'replace', message: { id, queue: other, body } }))

    const got = await c.collect(() => DONE, { queue: other })
    expect((await c.until('the message', () => got[0])).body).to.have.length(0)
    expect(await look(c)).to.deep.equal([])
  },

  'a look that replaces in its own queue comes to an end': async (c) => {
    const ids = await publishAll(c, 3)

    const seen = await look(c, ({ id, body, queue }) => (ids.includes(id) ? { kind: 'replace', message: { id: `${id}-2`, queue, body } } : KEEP))

    expect(idsOf(seen).slice(0, 3)).to.deep.equal(ids)
    expect(new Set(idsOf(seen)).size).to.equal(seen.length)
    expect(idsOf(await look(c))).to.have.members(ids.map((id) => `${id}-2`))
  },

  'dead letters are looked at, removed and sent again while a consumer of the queue works': async (c) => {
    const { ids, consumed, heal } = await bury(c, 4)
    const dead = deadQueueOf(c.queue)
    heal()

    const seen = await look(c, ({ id, body }) => {
      if (id === ids[0]) return KEEP
      return id === ids[1] ? { kind: 'remove' } : { kind: 'replace', message: { id, body, queue: c.queue } }
    }, dead)

    expect(seen.map(({ id, queue, note }) => [id, queue, note])).to.deep.equal(ids.map((id) => [id, dead, 'no']))
    await c.until('two sent again', () => consumed.length === 6)
    expect(idsOf(consumed).slice(4)).to.have.members(ids.slice(2))
    await c.until('one that is dead', async () => (await c.broker.count(c.queue)).dead === 1)
    expect(idsOf(await look(c, () => KEEP, dead))).to.deep.equal([ids[0]])
  },

  'an error of the visitor ends the look with that error, and keeps the message and those behind it': async (c) => {
    const ids = await publishAll(c, 4)
    const defect = new Error('a defect')

    const failure: unknown = await look(c, ({ id }) => {
      if (id === ids[1]) throw defect
      return { kind: 'remove' }
    }).catch((error: unknown) => error)

    expect(failure).to.equal(defect)
    await c.until('three that wait', async () => (await c.broker.count(c.queue)).waiting === 3)
    expect(idsOf(await look(c))).to.deep.equal(ids.slice(1))
  },

  'five hundred messages are each shown once; every second goes, the others are replaced': async (c) => {
    const ids = Array.from({ length: MANY }, () => newId())
    await Promise.all(ids.map((id) => c.publish({ id })))
    const other = `${c.queue}-other`

    const seen = await look(c, ({ id, body }) => (ids.indexOf(id) % 2 === 0 ? { kind: 'remove' } : { kind: 'replace', message: { id, body, queue: other } }))

    expect(seen).to.have.length(MANY)
    expect(new Set(idsOf(seen))).to.deep.equal(new Set(ids))
    await c.until('an empty queue', async () => (await c.broker.count(c.queue)).waiting === 0)
    await c.until('the replaced ones', async () => (await c.broker.count(other)).waiting === MANY / 2)
    expect(idsOf(await look(c, () => KEEP, other))).to.have.members(ids.filter((_id, index) => index % 2 === 1))
  },

  'a closed broker refuses a look with BROKER_CLOSED': async (c) => {
    await c.broker.close()

    const failure: unknown = await look(c).catch((error: unknown) => error)

    expect(failure).to.have.property('code', 'BROKER_CLOSED')
  },
}
