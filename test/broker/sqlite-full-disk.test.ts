import { statSync } from 'node:fs'
import { expect } from 'chai'
import { newId, systemClock } from '#src/core/clock.js'
import { silentLogger } from '#src/core/logger.js'
import type { Verdict } from '#src/broker/broker.js'
import { Bell } from '#src/sqlite/bell.js'
import { SqliteBroker } from '#src/broker/sqlite/broker.js'
import { BROKER_SCHEMA } from '#src/broker/sqlite/schema.js'
import { Room } from '#src/sqlite/room.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

describe('the embedded broker on a full disk', () => {
  const scope = eachScope()
  const DONE: Verdict = { kind: 'done' }

  /** SQLite fails the same way when a file may have no more pages as when the disk has none. */
  async function given() {
    const file = scope().file('queue.db')
    const room = await Room.open({ file, durability: 'full', clock: systemClock })
    await room.migrate(BROKER_SCHEMA)
    const bell = new Bell(`${file}-wake`)
    const broker = scope().use(new SqliteBroker({ namespace: '', clock: systemClock, log: silentLogger, room, bell }))
    const stored: string[] = []
    const publish = async (): Promise<unknown> => {
      const id = newId()
      try {
        await broker.publish({ id, queue: 'work', body: Buffer.alloc(20_000, 'x') })
        stored.push(id)
        return undefined
      } catch (error) {
        return error
      }
    }
    return { file, broker, stored, publish, limit: (pages: number) => room.db.exec(`PRAGMA max_page_count = ${pages}`) }
  }

  it('a message that does not fit is refused with QUEUE_FULL, those that fitted are kept, and space heals it', async () => {
    const { broker, stored, publish, limit } = await given()
    limit(200)
    const failures = (await Promise.all(Array.from({ length: 100 }, publish))).filter((failure) => failure !== undefined)
    expect(stored).to.have.length.within(1, 99)
    for (const failure of failures) expect(failure).to.have.property('code', 'QUEUE_FULL')

    limit(100_000)
    expect(await publish()).to.equal(undefined)

    const got: string[] = []
    await broker.consume('work', { concurrency: 10 }, async ({ id }) => {
      got.push(id)
      return DONE
    })
    await until('an empty queue', async () => got.length >= stored.length && (await broker.count('work')).waiting === 0)
    expect(got).to.have.members(stored)
  })

  it('what the log holds is copied into the file before anything more is stored, so that the log does not take the room that was made', async () => {
    const { file, publish, limit } = await given()
    limit(200)
    await Promise.all(Array.from({ length: 100 }, publish))
    const before = statSync(file).size

    limit(100_000)
    await publish()

    expect(before).to.be.below(200_000)
    expect(statSync(file).size).to.be.above(600_000)
  })

  it('a verdict that cannot be written down is written when there is space, also after the stop', async () => {
    const { broker, publish, limit } = await given()
    await publish()
    let settle: (verdict: Verdict) => void = () => undefined
    const inHand: string[] = []
    const subscription = await broker.consume('work', { concurrency: 1 }, ({ id }) => {
      inHand.push(id)
      return new Promise((resolve) => (settle = resolve))
    })
    await until('the message', () => inHand.length === 1)
    limit(1)

    settle({ kind: 'dead', note: 'x'.repeat(50_000) })
    await subscription.stop()
    expect((await broker.count('work')).dead).to.equal(0)
    limit(100_000)

    await until('the dead letter', async () => (await broker.count('work')).dead === 1)
  })
})
