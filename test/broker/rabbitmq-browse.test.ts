import { AsyncLocalStorage } from 'node:async_hooks'
import { expect } from 'chai'
import { deadQueueOf, type Broker } from '#src/broker/broker.js'
import { codeOf, collect, publish, RabbitCase } from '../kit/rabbit-case.js'
import { LONG, LongCase, startImpatientNode } from '../kit/rabbit-long-case.js'
import { describeRabbit, sharedRabbitNode, type RabbitNode } from '../kit/rabbitmq.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

const DEAD = deadQueueOf('mail')

async function idsOf(broker: Broker, queue = DEAD): Promise<string[]> {
  const ids: string[] = []
  await broker.browse(queue, ({ id }) => {
    ids.push(id)
    return { kind: 'keep' }
  })
  return ids
}

describeRabbit('looking at messages on RabbitMQ', function () {
  this.timeout(120_000)
  const scope = eachScope()
  let url = ''
  before(async function () {
    this.timeout(120_000)
    url = (await sharedRabbitNode()).url
  })
  const given = (): RabbitCase => new RabbitCase(scope(), url)

  it('shows 1,000 dead letters in order, also when one in the middle was replaced', async () => {
    const broker = await given().open()
    const ids: string[] = []
    for (let sent = 0; sent < 1000; sent += 100) {
      ids.push(...(await Promise.all(Array.from({ length: 100 }, () => publish(broker, { queue: DEAD })))))
    }

    const first = await idsOf(broker)
    await broker.browse(DEAD, ({ id, body, priority }) =>
      id === ids[500] ? { kind: 'replace', message: { id, queue: 'other', body, priority } } : { kind: 'keep' },
    )
    const second = await idsOf(broker)

    expect(first).to.deep.equal(ids)
    expect(second).to.deep.equal(ids.toSpliced(500, 1))
    expect(await idsOf(broker, 'other')).to.deep.equal([ids[500]])
  })

  it('ends, although more comes all the time', async () => {
    const broker = await given().open()
    await publish(broker, { queue: DEAD })

    const seen: string[] = []
    await broker.browse(DEAD, async ({ id }) => {
      seen.push(id)
      await publish(broker, { queue: DEAD })
      return { kind: 'keep' }
    })

    expect(seen).to.have.length(1)
    await until('both, the one that was shown put back', async () => (await broker.count(DEAD)).waiting === 2)
    expect(await broker.count(DEAD)).to.deep.equal({ waiting: 2, dead: 0 })
  })

  it('fails with a coded error when the connection is lost, and every message is still there', async () => {
    const c = given()
    const proxy = await c.proxy()
    const other = await c.open()
    const ids: string[] = []
    for (let sent = 1; sent <= 10; sent++) ids.push(await publish(other, { queue: DEAD }))
    const broker = await c.open({ urls: [proxy.url] })

    let seen = 0
    const error: unknown = await broker
      .browse(DEAD, () => {
        seen += 1
        if (seen === 5) proxy.reset()
        return { kind: 'keep' }
      })
      .catch((failure: unknown) => failure)

    expect(await codeOf(Promise.reject(error))).to.equal('BROKER_UNREACHABLE')
    expect(String(error)).to.match(/Cannot look at the messages of "mail\.dead"/)
    await until('all of them', async () => (await other.count(DEAD)).waiting === 10)
    expect(await idsOf(other)).to.deep.equal(ids)
    expect(await idsOf(broker)).to.deep.equal(ids)
  })

  it('keeps the message at which the visitor throws, and all others', async () => {
    const broker = await given().open()
    const ids = [await publish(broker, { queue: DEAD }), await publish(broker, { queue: DEAD })]
    const thrown = new Error('thrown')

    const error: unknown = await broker
      .browse(DEAD, () => {
        throw thrown
      })
      .catch((failure: unknown) => failure)

    expect(error).to.equal(thrown)
    expect(await idsOf(broker)).to.deep.equal(ids)
  })

  it('calls the visitor in the context of whoever looks', async () => {
    const storage = new AsyncLocalStorage<string>()
    const broker = await given().open()
    await publish(broker, { queue: DEAD })
    await publish(broker, { queue: DEAD })

    const seen: unknown[] = []
    await storage.run('a request', () =>
      broker.browse(DEAD, async () => {
        await new Promise((resolve) => setImmediate(resolve))
        seen.push(storage.getStore())
        return { kind: 'keep' }
      }),
    )

    expect(seen).to.deep.equal(['a request', 'a request'])
  })
})

describeRabbit(
  'looking at messages on a RabbitMQ of its own',
  function () {
    this.timeout(120_000)
    const scope = eachScope()
    let node: RabbitNode
    before(async function () {
      this.timeout(120_000)
      node = await startImpatientNode()
    })
    after(() => node[Symbol.asyncDispose]())

    it('goes on while the server takes no messages', async () => {
      const c = new LongCase(scope(), node)
      const broker = await c.open()
      const id = await publish(broker, { queue: DEAD })

      await node.ctl('set_disk_free_limit', '9999GB')
      try {
        const late = publish(broker, { queue: DEAD })
        expect(await idsOf(broker)).to.deep.equal([id])
        await node.ctl('set_disk_free_limit', '50MB')
        await late
      } finally {
        await node.ctl('set_disk_free_limit', '50MB')
      }
    })

    it('shows nothing of what the driver keeps in a queue to look after long runs', async () => {
      const c = new LongCase(scope(), node)
      const publisher = await c.open(LONG)
      const id = await publish(publisher)
      const kill = await c.victim()
      await c.onWatch()
      kill()
      // nobody takes it: the watch copy lies in the queue
      await until('the watch copy', async () => (await publisher.count('mail')).waiting === 1)

      const seen = await idsOf(publisher, 'mail')
      const got = await collect(publisher)
      await until('the run', () => got.length === 1, 60_000)

      expect(seen).to.deep.equal([])
      expect(got[0]?.id).to.equal(id)
    })
  },
  { own: true },
)
