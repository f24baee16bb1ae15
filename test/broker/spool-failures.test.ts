import { expect } from 'chai'
import { newId, systemClock } from '#src/core/clock.js'
import { silentLogger } from '#src/core/logger.js'
import type { Broker } from '#src/broker/broker.js'
import { ErrandError } from '#src/errors.js'
import { openSpoolingBroker } from '#src/broker/spool/broker.js'
import { OUTBOX } from '#src/broker/spool/spooled.js'
import { Turn } from '#src/broker/spool/turn.js'
import { Bell } from '#src/sqlite/bell.js'
import { SqliteBroker } from '#src/broker/sqlite/broker.js'
import { openSqliteBroker } from '#src/broker/sqlite/open.js'
import { BROKER_SCHEMA } from '#src/broker/sqlite/schema.js'
import { Room } from '#src/sqlite/room.js'
import { keptLog } from '../kit/rabbit-case.js'
import { SwitchedBroker } from '../kit/switched-broker.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

describe('an outbox that cannot be written or read', () => {
  const scope = eachScope()

  async function given(local: Broker) {
    const remote = new SwitchedBroker()
    const { log, lines } = keptLog()
    const turnFile = scope().file('turn.sqlite')
    const broker = scope().use(await openSpoolingBroker({ remote, local, turnFile, limit: 1000, clock: systemClock, log }))
    return { remote, broker, lines }
  }

  it('on a full disk the call rejects with QUEUE_FULL and says why; those that fitted are sent, and space heals it', async () => {
    const file = scope().file('outbox.sqlite')
    const room = await Room.open({ file, durability: 'full', clock: systemClock })
    await room.migrate(BROKER_SCHEMA)
    const parts = { namespace: '', clock: systemClock, log: silentLogger, bell: new Bell(`${file}-wake`) }
    const { remote, broker } = await given(new SqliteBroker({ ...parts, room }))
    // SQLite fails the same way when a file may have no more pages as when the disk has none
    const limitPages = (pages: number): unknown => room.db.exec(`PRAGMA max_page_count = ${pages}`)
    const kept: string[] = []
    const publish = async (): Promise<unknown> => {
      const id = newId()
      try {
        await broker.publish({ id, queue: 'work', body: Buffer.alloc(20_000, 'x') })
        kept.push(id)
        return undefined
      } catch (error) {
        return error
      }
    }
    remote.refusal = 'BROKER_UNREACHABLE'
    limitPages(200)

    const failures = (await Promise.all(Array.from({ length: 100 }, publish))).filter((failure) => failure !== undefined)
    expect(kept).to.have.length.within(1, 99)
    for (const failure of failures) {
      expect(failure).to.include({ code: 'QUEUE_FULL' })
      expect(failure).to.have.property('message').that.matches(/RabbitMQ is away, and the outbox did not take it.*the disk is full/)
    }

    limitPages(100_000)
    expect(await publish()).to.equal(undefined)
    remote.refusal = undefined

    await until('those that were kept', () => remote.published.length >= kept.length)
    expect(remote.published.map(({ id }) => id)).to.deep.equal(kept)
  })

  it('that cannot note what was sent sends nothing again meanwhile, and notes it when it can', async () => {
    const file = await openSqliteBroker({ file: scope().file('outbox.sqlite') })
    const local = unnoting(file)
    const { remote, broker } = await given(local)
    remote.refusal = 'BROKER_UNREACHABLE'
    for (const id of ['one', 'two', 'never']) await broker.publish({ id, queue: 'work', body: Buffer.from(id) })
    remote.refusalOf = ({ id }) => (id === 'never' ? 'PAYLOAD_TOO_LARGE' : undefined)

    remote.refusal = undefined
    await until('several attempts to note it', () => local.attempts >= 4)
    local.isFull = false
    await until('an empty outbox', async () => (await file.count(OUTBOX)).waiting === 0)

    expect(remote.published.map(({ id }) => id)).to.deep.equal(['one', 'two'])
    expect(await file.count(OUTBOX)).to.deep.equal({ waiting: 0, dead: 1 })
  })

  it('sends the next attempt of a call also while the one before is not noted', async () => {
    const file = await openSqliteBroker({ file: scope().file('outbox.sqlite') })
    const local = unnoting(file)
    const { remote, broker } = await given(local)
    remote.refusal = 'BROKER_UNREACHABLE'
    await broker.publish({ id: 'one', queue: 'work', body: Buffer.from('one') })
    remote.refusal = undefined
    await until('an attempt to note it', () => local.attempts > 0)

    await broker.publish({ id: 'one', queue: 'work', body: Buffer.from('one'), attempt: 2 })
    await until('the next attempt', () => remote.published.length === 2)
    local.isFull = false
    await until('an empty outbox', async () => (await file.count(OUTBOX)).waiting === 0)

    expect(remote.published.map(({ attempt }) => attempt)).to.deep.equal([undefined, 2])
  })

  it('a message in a form of another version goes aside, and those behind it are sent', async () => {
    const local = await openSqliteBroker({ file: scope().file('outbox.sqlite') })
    for (const body of ['', 'x', '\u0000\u0000\u0000\u0009{"v": 9}!', '\u0000\u0000\u0000\u0002[]rest']) {
      await local.publish({ id: newId(), queue: OUTBOX, body: Buffer.from(body, 'latin1') })
    }
    const { remote, broker, lines } = await given(local)

    await broker.publish({ id: 'good', queue: 'work', body: Buffer.from('good') })

    await until('the good one', () => remote.published.length === 1)
    // what was sent is taken out afterwards
    await until('an empty outbox', async () => (await local.count(OUTBOX)).waiting === 0)
    expect(await local.count(OUTBOX)).to.deep.equal({ waiting: 0, dead: 4 })
    expect(lines.filter((line) => line.includes('MESSAGE_MALFORMED'))).to.have.length(4)
  })
})

/** `broker`, which takes out nothing as long as it is full: it lets itself be read all the same. */
function unnoting(broker: Broker) {
  const state = { isFull: true, attempts: 0 }
  const browse: Broker['browse'] = async (queue, visit) => {
    let isChanged = false
    await broker.browse(queue, async (delivery) => {
      const answer = await visit(delivery)
      if (!state.isFull || answer.kind === 'keep' || answer.kind === 'stop') return answer
      isChanged = true
      return { kind: 'keep' }
    })
    if (!isChanged) return
    state.attempts += 1
    throw new ErrandError('QUEUE_FULL', 'The disk is full, by the test.')
  }
  const own: Partial<Broker> = { browse }
  return new Proxy(Object.assign(state, own), {
    get: (target, key) => {
      const mine: unknown = Reflect.get(target, key)
      if (mine !== undefined) return mine
      const theirs: unknown = Reflect.get(broker, key)
      return typeof theirs === 'function' ? theirs.bind(broker) : theirs
    },
  }) as typeof state & Broker // what it has not itself is that of the broker
}

describe('the turn to empty an outbox', () => {
  const scope = eachScope()

  it('is one at a time, and goes on when its holder lets go or closes', async () => {
    const file = scope().file('turn.sqlite')
    const [one, other] = [await Turn.open(file), await Turn.open(file)]
    scope().defer(() => other.close())

    expect([one.take(), one.take(), other.take()]).to.deep.equal([true, false, false])
    one.release()
    one.release()
    expect([other.take(), one.take()]).to.deep.equal([true, false])
    other.release()
    expect(one.take()).to.equal(true)
    one.close()
    expect(other.take()).to.equal(true)
  })
})
