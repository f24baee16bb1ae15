import { expect } from 'chai'
import { codeOf, publish, RabbitCase } from '../kit/rabbit-case.js'
import { leaderOf } from '../kit/rabbit-leader.js'
import { describeRabbit, startRabbitNode, type RabbitNode } from '../kit/rabbitmq.js'
import { TcpProxy } from '../kit/tcp-proxy.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

describeRabbit(
  'a RabbitMQ queue that confirms nothing',
  function () {
    this.timeout(300_000)
    const scope = eachScope()
    let node: RabbitNode
    before(async function () {
      this.timeout(120_000)
      node = await startRabbitNode()
    })
    after(() => node[Symbol.asyncDispose]())

    it('holds up only its own callers: others go on over the same connection, and it goes on when it confirms again', async () => {
      const c = new RabbitCase(scope(), node.url)
      const proxy = scope().use(await TcpProxy.to(node.url))
      const broker = await c.open({ urls: [proxy.url], confirmTimeoutMs: 240_000 })
      await Promise.all([publish(broker), publish(broker, { queue: 'other' })])
      const before = proxy.accepted
      await leaderOf(node, 'suspend', `${c.namespace}.q.mail`)

      // more than are ever under way at a time
      const held = Promise.all(Array.from({ length: 5000 }, () => publish(broker)))
      let others = 0
      const isTold = (): boolean => c.lines.some((line) => line.includes('confirmed nothing for 5000 ms, while others did'))
      for (; !isTold(); others++) await publish(broker, { queue: 'other' })
      const since = Date.now()
      // longer than a connection without any confirm would be kept
      for (; Date.now() - since < 12_000; others++) await publish(broker, { queue: 'other' })
      expect(proxy.accepted, c.lines.join("\n")).to.equal(before)

      await leaderOf(node, 'resume', `${c.namespace}.q.mail`)
      await held
      expect((await broker.count('mail')).waiting).to.be.at.least(5001)
      expect((await broker.count('other')).waiting).to.equal(others + 1)
      await until('the line', () => c.lines.some((line) => line.includes('the queue "mail" confirms again')))
    })

    it('because it has no leader at all goes on when there is one, with what it was sent meanwhile', async () => {
      const c = new RabbitCase(scope(), node.url)
      const proxy = scope().use(await TcpProxy.to(node.url))
      const broker = await c.open({ urls: [proxy.url], confirmTimeoutMs: 240_000 })
      await Promise.all([publish(broker), publish(broker, { queue: 'other' })])
      await leaderOf(node, 'stop', `${c.namespace}.q.mail`)

      const held = Promise.all(Array.from({ length: 500 }, () => publish(broker)))
      const since = Date.now()
      while (Date.now() - since < 12_000) await publish(broker, { queue: 'other' })
      await leaderOf(node, 'start', `${c.namespace}.q.mail`)

      await held
      expect((await broker.count('mail')).waiting).to.be.at.least(501)
      expect(proxy.accepted, c.lines.join('\n')).to.equal(1)
    })

    it('rejects its callers at their deadline, saying what is known, and no others', async () => {
      const c = new RabbitCase(scope(), node.url)
      const broker = await c.open({ confirmTimeoutMs: 8000 })
      await Promise.all([publish(broker), publish(broker, { queue: 'other' })])
      await leaderOf(node, 'suspend', `${c.namespace}.q.mail`)

      let isOver = false
      const outcome = publish(broker).catch((error: unknown) => error).finally(() => (isOver = true))
      while (!isOver) await publish(broker, { queue: 'other' })

      expect(await outcome).to.include({ code: 'PUBLISH_TIMEOUT' })
      expect(String(await outcome)).to.include('Its queue confirms nothing at the moment')
      await leaderOf(node, 'resume', `${c.namespace}.q.mail`)
      await until('a publish that is stored', async () => (await codeOf(publish(broker))) === 'nothing')
    })
  },
  { own: true },
)
