import { expect } from 'chai'
import { newId, systemClock, type Clock } from '#src/core/clock.js'
import type { Delivery, Verdict } from '#src/broker/broker.js'
import { ClockJump } from '#src/broker/sqlite/clock-jump.js'
import { openSqliteBroker } from '#src/broker/sqlite/open.js'
import { openDatabase } from '#src/sqlite/open.js'
import { loseOne } from '../kit/queue-process.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

const HOUR_MS = 3_600_000

/** The system's clock, set to another time. */
class SetClock implements Clock {
  byMs = 0
  /** The longest wait that was asked for. */
  longestMs = 0
  now(): number {
    return systemClock.now() + this.byMs
  }
  after(ms: number, fn: () => void): () => void {
    this.longestMs = Math.max(this.longestMs, ms)
    return systemClock.after(ms, fn)
  }
}

describe('the embedded broker when the clock is set', function () {
  this.timeout(120_000)
  const scope = eachScope()

  async function given() {
    const file = scope().file('queue.db')
    const db = await openDatabase({ file })
    scope().defer(() => db.close())
    const open = async (clock = new SetClock()) => {
      const broker = scope().use(await openSqliteBroker({ file, clock }))
      const got: Delivery[] = []
      const consume = (verdict: Promise<Verdict>) =>
        broker.consume('work', { concurrency: 1 }, (delivery) => {
          got.push(delivery)
          return verdict
        })
      return { broker, clock, got, consume }
    }
    // the statements name these columns
    const leases = () => db.prepare('SELECT lease FROM broker_owner ORDER BY number').all().map((row) => (row as { lease: number }).lease)
    return { file, db, open, leases }
  }

  const never = new Promise<Verdict>(() => {})
  const message = () => ({ id: newId(), queue: 'work', body: Buffer.from('body') })

  it('forward, a process elsewhere that is alive keeps what it holds', async () => {
    const { db, open, leases } = await given()
    const holder = await open()
    const other = await open()
    await holder.consume(never)
    await holder.broker.publish(message())
    await until('its delivery', () => holder.got.length === 1)
    await other.consume(never)
    db.exec("UPDATE broker_owner SET host = 'elsewhere' WHERE number = (SELECT min(number) FROM broker_owner)")

    // the other one notices first
    other.clock.byMs = 3 * HOUR_MS
    await until('its new lease', () => (leases()[1] ?? 0) > other.clock.now())
    holder.clock.byMs = 3 * HOUR_MS
    await until('the new lease of the holder', () => (leases()[0] ?? 0) > holder.clock.now())
    await holder.broker.publish(message())

    const [next] = await until('the next message', () => other.got.length > 0 && other.got)
    expect(next).to.include({ attempt: 1, crashes: 0 })
    expect(next?.id).not.to.equal(holder.got[0]?.id)
  })

  it('back, leases are renewed at once, and one of before that nobody renews ends', async () => {
    const { file, db, open, leases } = await given()
    const { broker, clock, got, consume } = await open()
    await broker.publish(message())
    await loseOne(scope(), file, 'work')
    db.exec("UPDATE broker_owner SET host = 'elsewhere'")
    await consume(Promise.resolve({ kind: 'done' }))

    clock.byMs = -3 * HOUR_MS

    await until('its new lease', () => (leases()[1] ?? Infinity) < clock.now() + 61_000)
    expect(await until('the message of the dead', () => got[0])).to.include({ attempt: 2, crashes: 1 })
  })

  it('a long delay is looked at again and again, because timers know nothing of it', async () => {
    const { open } = await given()
    const { broker, clock, got, consume } = await open()
    await consume(Promise.resolve({ kind: 'done' }))
    await broker.publish({ ...message(), delayMs: 24 * HOUR_MS })
    await broker.publish(message())
    await until('the other one', () => got.length === 1)

    expect(clock.longestMs).to.be.at.most(60_000)
    clock.byMs = 25 * HOUR_MS
    await broker.publish(message())
    await until('all of them', () => got.length === 3)
  })
})

describe('a clock that was set', () => {
  it('is noticed at the next look, and for some seconds from then; being a little off is nothing', () => {
    let [now, passed] = [1_000_000, 0]
    const jump = new ClockJump({ now: () => now, after: () => () => {} }, () => passed)
    const go = (nowMs: number, passedMs: number): boolean => {
      now += nowMs
      passed += passedMs
      return jump.isRecent()
    }

    expect([go(500, 500), go(60_000, 60_000), go(1_500, 500)]).to.deep.equal([false, false, false])
    expect([go(HOUR_MS, 500), go(4_000, 4_000), go(1_500, 1_500)]).to.deep.equal([true, true, false])
    expect([go(-HOUR_MS, 500), go(4_000, 4_000), go(1_500, 1_500)]).to.deep.equal([true, true, false])
  })
})
