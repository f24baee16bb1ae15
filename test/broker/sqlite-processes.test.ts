import { expect } from 'chai'
import { newId } from '#src/core/clock.js'
import { deadQueueOf } from '#src/broker/broker.js'
import { openSqliteBroker } from '#src/broker/sqlite/open.js'
import { startQueueProcess, type QueueProcess } from '../kit/queue-process.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

describe('queues in a file shared by processes', function () {
  this.timeout(120_000)
  const scope = eachScope()
  const queue = 'work'

  async function given() {
    const file = scope().file('queue.db')
    const broker = scope().use(await openSqliteBroker({ file }))
    const publish = async (): Promise<string> => {
      const id = newId()
      await broker.publish({ id, queue, body: Buffer.from(id) })
      return id
    }
    return { file, broker, publish }
  }

  const taken = (process: QueueProcess, id: string) => process.news.filter((news) => news.is === 'taken' && news.id === id)
  const idsOf = (process: QueueProcess, kind: 'stored' | 'ended') =>
    process.news.flatMap((news) => (news.is === kind ? [news.id] : []))

  it('a message published here wakes a consumer in another process', async () => {
    const { file, publish } = await given()
    const consumer = startQueueProcess(scope(), { do: 'consume', file, queue })
    await until('the consumer', () => consumer.news.length > 0)

    const ids = [await publish(), await publish(), await publish()]

    await until('all three', () => idsOf(consumer, 'ended').length === 3)
    expect(idsOf(consumer, 'ended')).to.have.members(ids)
  })

  it('a message whose process was killed is run again by another process, as attempt 2', async () => {
    const { file, publish } = await given()
    const id = await publish()
    const victim = startQueueProcess(scope(), { do: 'hold', file, queue })
    await until('the victim', () => taken(victim, id).length === 1)
    const heir = startQueueProcess(scope(), { do: 'consume', file, queue })
    await until('the heir', () => heir.news.length > 0)

    await victim.kill()

    await until('the second run', () => taken(heir, id).length > 0)
    expect(taken(heir, id)).to.deep.equal([{ is: 'taken', id, attempt: 2, crashes: 1 }])
  })

  it('killed while it replays dead letters, a process leaves each of them in one place, dead or sent again', async () => {
    const { file, broker } = await given()
    const ids = Array.from({ length: 600 }, () => newId())
    await Promise.all(ids.map((id) => broker.publish({ id, queue: deadQueueOf(queue), body: Buffer.from(id) })))

    for (let shown = 90; shown <= 270; shown += 90) {
      const replay = startQueueProcess(scope(), { do: 'replay', file, queue, most: 150 })
      await until('some of them', () => replay.news.length >= 90)
      await replay.kill()
    }

    const found: string[] = []
    for (const name of [queue, deadQueueOf(queue)]) {
      await broker.browse(name, ({ id }) => {
        found.push(id)
        return { kind: 'keep' }
      })
    }
    const { waiting, dead } = await broker.count(queue)
    expect(waiting).to.be.within(1, 599)
    expect(dead).to.equal(600 - waiting)
    expect(found.toSorted()).to.deep.equal(ids.toSorted())
  })

  it('a temporary queue of a process that was killed is soon gone for those who would reply', async () => {
    const { file, broker } = await given()
    await broker.consume(queue, { concurrency: 1 }, async () => ({ kind: 'done' }))
    const asker = startQueueProcess(scope(), { do: 'consume', file, queue: 'replies', temporary: true })
    await until('the asker', () => asker.news.length > 0)
    const reply = () => broker.publish({ id: 'reply', queue: 'replies', body: Buffer.from('x'), toTemporary: true })
    await reply()
    await until('the reply', () => taken(asker, 'reply').length === 1)

    await asker.kill()

    await until('a refusal', () => reply().then(() => false, (error: { code?: string }) => error.code === 'PUBLISH_UNROUTABLE'))
  })

  it('a process that only consumes stays alive until its subscription is stopped', async () => {
    const { file } = await given()
    const idle = startQueueProcess(scope(), { do: 'consume', file, queue })
    await until('the consumer', () => idle.news.length > 0)
    idle.child.disconnect()
    const waiting = startQueueProcess(scope(), { do: 'consume', file, queue })
    await until('another process to come up', () => waiting.news.length > 0)

    expect(idle.child.exitCode).to.equal(null)
  })

  it('a process whose event loop stands still keeps its message', async () => {
    const { file, broker, publish } = await given()
    const id = await publish()
    const busy = startQueueProcess(scope(), { do: 'block', file, queue, forMs: 2_000 })
    await until('the busy process', () => taken(busy, id).length === 1)

    const seen: string[] = []
    await broker.consume(queue, { concurrency: 1 }, async (delivery) => {
      seen.push(delivery.id)
      return { kind: 'done' }
    })
    await until('the end of its run', () => idsOf(busy, 'ended').includes(id))

    expect(seen).to.deep.equal([])
    expect(taken(busy, id)).to.deep.equal([{ is: 'taken', id, attempt: 1, crashes: 0 }])
  })

  it('what a publisher was told is stored survives its being killed', async () => {
    const { file, broker } = await given()
    const publisher = startQueueProcess(scope(), { do: 'publish', file, queue, count: 1_000_000, tag: 'a' })
    await until('some hundred stored', () => idsOf(publisher, 'stored').length > 300)

    await publisher.kill()

    const got = new Set<string>()
    await broker.consume(queue, { concurrency: 100 }, async ({ id, body }) => {
      if (body.toString() === id) got.add(id)
      return { kind: 'done' }
    })
    await until('an empty queue', async () => (await broker.count(queue)).waiting === 0)
    const told = idsOf(publisher, 'stored')
    await until('all of it', () => told.every((id) => got.has(id)))
  })

  it('two processes that publish without pause both get their turn', async () => {
    const { file } = await given()
    const one = startQueueProcess(scope(), { do: 'publish', file, queue, count: 1_000_000, tag: 'one' })
    const two = startQueueProcess(scope(), { do: 'publish', file, queue, count: 1_000_000, tag: 'two' })
    const counts = (): number[] => [one, two].map((process) => idsOf(process, 'stored').length)
    const before = await until('both at work', () => (counts().every((count) => count > 0) ? counts() : undefined))

    const after = await until('3,000 more', () => {
      const now = counts().map((count, index) => count - (before[index] ?? 0))
      return now.reduce((sum, count) => sum + count) > 3_000 ? now : undefined
    })

    expect(Math.min(...after)).to.be.greaterThan(300)
    await Promise.all([one.kill(), two.kill()])
  })

  it('messages of several publishing processes are each consumed once by several consuming ones', async () => {
    const { file } = await given()
    const consumers = [1, 2].map(() => startQueueProcess(scope(), { do: 'consume', file, queue }))
    const publishers = ['a', 'b'].map((tag) => startQueueProcess(scope(), { do: 'publish', file, queue, count: 1_000, tag }))
    const flat = (kind: 'stored' | 'ended', processes: QueueProcess[]) => processes.flatMap((process) => idsOf(process, kind))

    await until('2,000 stored', () => flat('stored', publishers).length === 2_000)
    await until('2,000 ended', () => flat('ended', consumers).length >= 2_000)

    expect(flat('ended', consumers)).to.have.members(flat('stored', publishers))
  })
})
