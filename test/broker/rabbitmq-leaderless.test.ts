import { expect } from 'chai'
import type { Broker, Delivery } from '#src/broker/broker.js'
import { collect, DONE, publish, RabbitCase } from '../kit/rabbit-case.js'
import { leaderOf } from '../kit/rabbit-leader.js'
import { describeRabbit, startRabbitNode, type RabbitNode } from '../kit/rabbitmq.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

/** Consumes `other`: runs that the test ends as it likes, and everything that was handed out. */
async function runOthers(broker: Broker): Promise<{ all: Delivery[]; end(): void }> {
  const all: Delivery[] = []
  let running: (() => void)[] = []
  await broker.consume('other', { concurrency: 5 }, (delivery) => {
    all.push(delivery)
    return new Promise((settle) => running.push(() => settle(DONE)))
  })
  return {
    all,
    end: () => {
      const ended = running
      running = []
      for (const end of ended) end()
    },
  }
}

describeRabbit(
  'A consumer of a RabbitMQ queue without a leader',
  function () {
    this.timeout(300_000)
    const scope = eachScope()
    let node: RabbitNode
    before(async function () {
      this.timeout(120_000)
      node = await startRabbitNode()
    })
    after(() => node[Symbol.asyncDispose]())

    for (const [how, back] of [['stop', 'start'], ['suspend', 'resume']] as const) {
      it(`(${how}) leaves the runs of the other queues alone, for as long as it takes, and consumes its own when there is a leader`, async () => {
        const c = new RabbitCase(scope(), node.url)
        const proxy = await c.proxy()
        const publisher = await c.open()
        await publish(publisher)
        const broker = await c.open({ urls: [proxy.url], connectTimeoutMs: 240_000 })
        const others = await runOthers(broker)
        const sent = await Promise.all(Array.from({ length: 20 }, () => publish(publisher, { queue: 'other' })))
        await until('the others', () => others.all.length === 5)
        await leaderOf(node, how, `${c.namespace}.q.mail`)

        const since = Date.now()
        const consuming = collect(broker)
        // of every batch the runs span a third of the time, in which the queue was tried again and again
        for (let batch = 2; batch <= 4; batch++) {
          await until('a third of the time', () => Date.now() - since > (batch - 1) * 10_000, 60_000)
          others.end()
          await until('the next runs', () => others.all.length === 5 * batch)
        }
        await leaderOf(node, back, `${c.namespace}.q.mail`)
        const got = await consuming
        await until('its own message', () => got.length === 1, 60_000)
        others.end()
        await until('the end', async () => (await publisher.count('other')).waiting === 0 && (await publisher.count('mail')).waiting === 0)

        expect(others.all.map(({ id }) => id)).to.deep.equal(sent)
        expect([...others.all, ...got].filter(({ attempt, lost }) => attempt !== 1 || lost?.aborted === true)).to.deep.equal([])
        expect(c.lines.filter((line) => line.includes('was lost'))).to.deep.equal([])
      })
    }

    it('does not take the next connection with it either, when the connection was lost for another reason', async () => {
      const c = new RabbitCase(scope(), node.url)
      const proxy = await c.proxy()
      const publisher = await c.open()
      const broker = await c.open({ urls: [proxy.url] })
      const others = await runOthers(broker)
      const got = await collect(broker)
      for (let count = 1; count <= 5; count++) await publish(publisher, { queue: 'other' })
      await until('the others', () => others.all.length === 5)
      await leaderOf(node, 'stop', `${c.namespace}.q.mail`)
      const before = c.lines.length
      // asked for before the loss: the signal of a run is made on demand
      const signals = others.all.map(({ lost }) => lost)
      proxy.reset()
      await until('the word that the messages are gone', () => signals.every((lost) => lost?.aborted === true))
      others.end()
      await until('the others again', () => others.all.length === 10)

      const tries = (): number => c.lines.filter((line) => line.includes('"mail" cannot be consumed')).length
      await until('tries in vain', () => tries() >= 5, 60_000)
      others.end()
      await leaderOf(node, 'start', `${c.namespace}.q.mail`)
      const id = await publish(publisher)
      await until('a message of its own', () => got.some((delivery) => delivery.id === id), 60_000)
      await until('the end of the others', async () => (await publisher.count('other')).waiting === 0)

      expect(others.all.map(({ attempt }) => attempt)).to.deep.equal([1, 1, 1, 1, 1, 2, 2, 2, 2, 2])
      expect(c.lines.slice(before).filter((line) => line.includes('for consuming was lost'))).to.have.length(1)
    })
  },
  { own: true },
)
