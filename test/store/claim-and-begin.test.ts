import { expect } from 'chai'
import type { Claimed, Delivery, Verdict } from '#src/broker/broker.js'
import { openSqliteBroker } from '#src/broker/sqlite/open.js'
import { newId, systemClock } from '#src/core/clock.js'
import { openDatabase } from '#src/sqlite/open.js'
import { Room } from '#src/sqlite/room.js'
import { openSqliteStore } from '#src/store/sqlite/open.js'
import { eachScope, type Scope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

const BODY = Buffer.from('body')
const DONE: Verdict = { kind: 'done' }

async function openBoth(scope: Scope) {
  const file = scope.file('queue.db')
  const room = await Room.open({ file, durability: 'full', clock: systemClock })
  scope.defer(() => room.leave())
  const broker = scope.use(await openSqliteBroker({ file: room }))
  const store = scope.use(await openSqliteStore({ file: room }))
  const id = newId()
  const call = { id, task: 'Shop.buy', queue: 'work', createdAt: 1 }
  const publish = () => broker.publish({ id, queue: 'work', body: BODY })
  return { file, room, broker, store, id, call, publish }
}

describe('the claim of a message and the begin of its run, in one file', () => {
  const scope = eachScope()
  const run = { attempt: 1, startedAt: 5, worker: { host: 'h', pid: 1 } }
  const NONE: ReadonlySet<string> = new Set()

  /** Consumes with a `begin` that asks the store, and notes what comes. */
  async function givenConsumer(except = NONE, meanwhile?: () => void) {
    const { room, broker, store, id, call, publish } = await openBoth(scope())
    const came: Delivery[] = []
    const begin = (claimed: readonly Claimed[]) => {
      meanwhile?.()
      return claimed.map((each) => (store.beginWithin(each.id, run, except) ? run : undefined))
    }
    const consume = () =>
      broker.consume('work', { concurrency: 5, begin }, async (delivery) => {
        came.push(delivery)
        return { kind: 'done' }
      })
    return { room, broker, store, id, call, publish, came, consume }
  }

  it('are stored in one transaction', async () => {
    const { room, store, id, call, publish, came, consume } = await givenConsumer()
    await store.record([{ kind: 'announced', ...call }])
    await consume()
    let commits = 0
    let stateAtFirst: Promise<unknown> | undefined
    room.onCommit(() => {
      if (++commits === 2) stateAtFirst = store.find({ id })
    })

    await publish()
    await until('the delivery', () => came.length === 1)

    expect(came[0]?.begun).to.deep.equal(run)
    expect(await stateAtFirst).to.include({ state: 'running' }) // the first commit is that of the message
    expect(await store.find({ id })).to.have.nested.property('runs[0]').that.deep.includes(run)
  })

  it('leave a cancelled task, one of those that are to be asked about, and one that is not known, to who receives it', async () => {
    const { store, id, call, publish, came, consume, broker } = await givenConsumer(new Set(['Shop.rare']))
    const [rare, unknown] = [newId(), newId()]
    await store.record([{ kind: 'announced', ...call }, { kind: 'cancelled', id, at: 2 }, { kind: 'announced', ...call, id: rare, task: 'Shop.rare' }])
    await publish()
    for (const other of [rare, unknown]) await broker.publish({ id: other, queue: 'work', body: BODY })

    await consume()
    await until('the deliveries', () => came.length === 3)

    expect(came.map((delivery) => delivery.begun)).to.deep.equal([undefined, undefined, undefined])
    const states = await Promise.all([id, rare, unknown].map(async (each) => (await store.find({ id: each }))?.state))
    expect(states).to.deep.equal(['cancelled', 'queued', undefined])
  })

  it('come to nothing together where the transaction does, and then the message comes without a begin', async () => {
    const { room, store, id, call, publish, came, consume } = await givenConsumer()
    await store.record([{ kind: 'announced', ...call }])
    await publish()
    let failures = 0
    room.onEnding(() => {
      // the consumer is made known by a transaction of its own
      if (room.db.prepare('SELECT 1 FROM broker_claimed').get() === undefined || ++failures > 1) return
      throw new Error('states cannot be written')
    })

    await consume()
    await until('the delivery', () => came.length > 0)

    expect(failures).to.be.above(0)
    expect(came[0]).to.include({ attempt: 1, begun: undefined })
    expect(await store.find({ id })).to.include({ state: 'queued' }).and.to.have.property('runs').that.is.empty
  })

  it('reach the consumer that stops in that moment, while what has not begun goes back', async () => {
    const stopping: { now?: () => void } = {}
    const { broker, store, id, call, publish, came, consume } = await givenConsumer(NONE, () => stopping.now?.())
    await store.record([{ kind: 'announced', ...call }])
    const subscription = await consume()
    let stopped: Promise<void> | undefined
    stopping.now = () => void (stopped ??= subscription.stop())

    await Promise.all([publish(), broker.publish({ id: newId(), queue: 'work', body: BODY })])
    await until('the stop', () => stopped !== undefined)
    await stopped

    expect(came.map((delivery) => delivery.id)).to.deep.equal([id])
    await until('the end of what has begun', async () => (await broker.count('work')).waiting === 1)
  })
})

describe('an answer and the verdict behind it, in one file', () => {
  const scope = eachScope()

  it('are stored in one transaction', async () => {
    const { room, broker, id, publish } = await openBoth(scope())
    const commits: number[] = []
    const replies: string[] = []
    await broker.consume('replies', { concurrency: 1, temporary: true }, async (reply) => {
      replies.push(reply.id)
      return { kind: 'done' }
    })
    await broker.consume('work', { concurrency: 1 }, async () => {
      commits.length = 0
      void broker.publish({ id: `${id}.outcome`, queue: 'replies', body: BODY, toTemporary: true })
      return { kind: 'done' }
    })
    const inHand = () => (room.db.prepare('SELECT count(*) AS n FROM broker_claimed').get() as { n: number }).n
    room.onCommit(() => commits.push(inHand()))

    await publish()
    await until('the answer', () => replies.length > 0)

    expect(broker.features.storesInOrder).to.equal(true)
    expect(commits[0], 'messages in hand after the commit of the answer').to.equal(0)
  })

  it('are never parted by a commit that comes between: the answer is there first, also of hundreds that end at once', async () => {
    const { file, room, broker } = await openBoth(scope())
    const MANY = 400
    const waiting: (() => void)[] = []
    const handle = ({ id }: Delivery): Promise<Verdict> =>
      new Promise((end) =>
        waiting.push(() => {
          void broker.publish({ id: `${id}.outcome`, queue: 'answers', body: BODY })
          end(DONE)
        }),
      )
    await broker.consume('work', { concurrency: MANY }, handle)
    await Promise.all(Array.from({ length: MANY }, () => broker.publish({ id: newId(), queue: 'work', body: BODY })))
    await until('all deliveries', () => waiting.length === MANY)
    const count = (sql: string) => (room.db.prepare(sql).get() as { n: number }).n
    const seen: { ended: number; answers: number }[] = []
    room.onCommit(() => {
      const ended = MANY - count('SELECT count(*) AS n FROM broker_claimed')
      seen.push({ ended, answers: count("SELECT count(*) AS n FROM broker_message WHERE id LIKE '%.outcome'") })
    })

    // another process has the lock, while first one ends and then all the others
    const other = await openDatabase({ file })
    scope().defer(() => other.close())
    other.exec('BEGIN IMMEDIATE')
    waiting.shift()?.()
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    for (const end of waiting.splice(0)) end()
    await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
    other.exec('COMMIT')
    await until('the answers', async () => (await broker.count('answers')).waiting === MANY)
    await until('the ends', () => seen.at(-1)?.ended === MANY)

    expect(seen.length).to.be.above(1)
    for (const { ended, answers } of seen) expect(answers).to.be.at.least(ended)
  })
})
