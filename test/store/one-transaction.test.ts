import { expect } from 'chai'
import { systemClock, newId } from '#src/core/clock.js'
import { openSqliteBroker } from '#src/broker/sqlite/open.js'
import { openSqliteStore } from '#src/store/sqlite/open.js'
import { oneFileOf } from '#src/compose/one-file.js'
import { Room } from '#src/sqlite/room.js'
import { silentLogger } from '#src/core/logger.js'
import { Tracking } from '#src/runtime/tracking/tracking.js'
import { UNFINISHED } from '#src/store/store.js'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

const BODY = Buffer.from('body')

describe('a message and what is known of its task, in one file', () => {
  const scope = eachScope()

  async function given() {
    const file = scope().file('queue.db')
    const room = await Room.open({ file, durability: 'full', clock: systemClock })
    scope().defer(() => room.leave())
    const broker = scope().use(await openSqliteBroker({ file: room }))
    const store = scope().use(await openSqliteStore({ file: room }))
    const id = newId()
    const call = { id, task: 'Shop.buy', queue: 'work', createdAt: 1 }
    const publish = (body: Buffer = BODY) => broker.publish({ id, queue: 'work', body })
    const tracking = new Tracking({
      store,
      oneFile: oneFileOf(store, broker),
      settings: { keepCompletedMs: 60_000, keepFailedMs: 60_000 },
      clock: systemClock,
      log: silentLogger,
    })
    const announce = (body = BODY, more: object = {}) => {
      const message = { id, queue: 'work', body }
      return tracking.announce({ kind: 'announced', ...call, ...more }, { message, send: () => broker.publish(message) })
    }
    return { room, broker, store, id, call, publish, announce, tracking }
  }

  it('are stored in one transaction', async () => {
    const { room, broker, store, id, publish, announce } = await given()
    await publish()
    let commits = 0
    room.onCommit(() => commits++)

    await announce()

    expect(commits).to.equal(1)
    expect(await broker.count('work')).to.deep.equal({ waiting: 2, dead: 0 })
    expect(await store.find({ id })).to.include({ state: 'queued' })
  })

  it('neither is stored where the message is refused by the file, and both where there is room again', async () => {
    const { room, broker, store, id, publish, announce } = await given()
    await publish()
    const limit = (pages: number) => room.db.exec(`PRAGMA max_page_count = ${pages}`)
    limit(1)
    const large = Buffer.alloc(200_000)

    const error = await announce(large).then(() => undefined, (failure: unknown) => failure)
    expect(error).to.have.property('code', 'QUEUE_FULL')
    expect(await store.find({ id })).to.equal(undefined)

    limit(100_000)
    await announce(large)
    expect(await broker.count('work')).to.deep.equal({ waiting: 2, dead: 0 })
    expect(await store.find({ id })).to.include({ state: 'queued' })
  })

  it('the message is stored alone where its call cannot be described', async () => {
    const { broker, store, id, announce } = await given()
    await announce(BODY, { key: '' })
    expect(await broker.count('work')).to.deep.equal({ waiting: 1, dead: 0 })
    expect(await store.find({ id })).to.equal(undefined)
  })

  it('of fifty calls with one key, one message is stored', async () => {
    const { broker, tracking } = await given()
    const begin = async () => {
      const message = { id: newId(), queue: 'work', body: BODY }
      const announcement = { id: message.id, task: 'Shop.buy', queue: 'work', createdAt: 1 }
      return tracking.announceOnce({ key: 'one', join: UNFINISHED }, announcement, { message, send: () => broker.publish(message) })
    }
    const all = await Promise.all(Array.from({ length: 50 }, begin))
    expect(all.filter(({ isNew }) => isNew)).to.have.lengthOf(1)
    expect(await broker.count('work')).to.deep.equal({ waiting: 1, dead: 0 })
  })

  it('a process killed at any moment leaves no message without its state, and no state without its message', async () => {
    const file = scope().file('queue.db')
    const child = fork(new URL('../kit/pair-process-main.js', import.meta.url), [file], { execArgv: [] })
    const gone = once(child, 'exit')
    scope().defer(() => child.kill('SIGKILL'))
    let stored = 0
    child.on('message', () => stored++)
    await until('some pairs', () => stored > 30)
    child.kill('SIGKILL')
    await gone

    const { broker, store } = await given()
    const messages: string[] = []
    await broker.browse('work', ({ id }) => {
      messages.push(id)
      return { kind: 'keep' }
    })
    expect(messages).to.have.lengthOf.at.least(31)
    for (const id of messages) expect(await store.find({ id })).to.include({ state: 'queued' })
    let [states, after] = [0, undefined as string | undefined]
    do {
      const page = await store.search({ limit: 500, after })
      states += page.records.length
      after = page.next
    } while (after !== undefined)
    expect(states).to.equal(messages.length)
  })

  describe('the end of a task and the answer to its caller', () => {
    const run = { attempt: 1, startedAt: 1, worker: { host: 'h', pid: 1 } }

    async function givenEnd() {
      const { room, broker, store, id, call, tracking } = await given()
      const replies: string[] = []
      await broker.consume('replies', { concurrency: 1, temporary: true }, async (reply) => {
        replies.push(reply.id)
        return { kind: 'done' }
      })
      await store.record([{ kind: 'announced', ...call }])
      const unsent: unknown[] = []
      const answerIn = (queue: string) => {
        const message = { id: `${id}.outcome`, queue, body: BODY, toTemporary: true }
        return { message, send: () => broker.publish(message), unsent: (error: unknown) => void unsent.push(error) }
      }
      const end = { kind: 'completed', id, run, at: Date.now(), expiresAt: Date.now() + 60_000 } as const
      return { room, store, id, tracking, replies, unsent, answerIn, end }
    }

    it('are stored in one transaction', async () => {
      const { room, store, id, tracking, replies, unsent, answerIn, end } = await givenEnd()
      const count = room.db.prepare("SELECT count(*) AS answers FROM broker_message WHERE id LIKE '%.outcome'")
      const first: unknown[] = []
      room.onCommit(() => first.push(store.find({ id }), { ...(count.get() as object) }))
      const ended = tracking.recordAndAnswer([end], answerIn('replies'))

      expect(await ended).to.deep.equal([{ applied: true, state: 'completed' }])
      expect(await first[0]).to.include({ state: 'completed' })
      expect(first[1]).to.deep.equal({ answers: 1 })
      expect(await store.find({ id })).to.include({ state: 'completed' })
      await until('the answer', () => replies.includes(`${id}.outcome`))
      expect(unsent).to.deep.equal([])
    })

    it('is completed and not answered where the caller is gone', async () => {
      const { store, id, tracking, unsent, answerIn, end } = await givenEnd()
      expect(await tracking.recordAndAnswer([end], answerIn('gone'))).to.deep.equal([{ applied: true, state: 'completed' }])
      expect(await store.find({ id })).to.include({ state: 'completed' })
      expect(unsent).to.deep.equal([])
    })

    it('stays cancelled, and its caller gets no other answer, where that came before', async () => {
      const { store, id, tracking, replies, unsent, answerIn, end } = await givenEnd()
      await store.record([{ kind: 'cancelled', id, at: Date.now() }])
      expect(await tracking.recordAndAnswer([end], answerIn('replies'))).to.deep.equal([{ applied: false, state: 'cancelled' }])
      await answerIn('replies').send()
      await until('a later answer', () => replies.length > 0)
      expect(replies).to.have.lengthOf(1)
      expect(unsent).to.deep.equal([])
    })
  })

  it('the file stays open for one part after the other has closed', async () => {
    const { broker, store, id, call, publish } = await given()
    await broker.close()
    await store.record([{ kind: 'announced', ...call }])
    expect(await store.find({ id })).to.include({ state: 'queued' })
    expect(await publish().catch((error: { code?: string }) => error.code)).to.equal('BROKER_CLOSED')
  })
})
