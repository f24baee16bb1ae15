import { expect } from 'chai'
import { openRabbitBroker } from '#src/broker/rabbitmq/broker.js'
import { LaneApp } from '../kit/lane-app.js'
import { publish } from '../kit/rabbit-case.js'
import { leaderOf } from '../kit/rabbit-leader.js'
import { describeRabbit, freshNamespace, startRabbitNode, type RabbitNode } from '../kit/rabbitmq.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

describeRabbit(
  'A worker of a RabbitMQ queue without a leader, and of another',
  function () {
    this.timeout(120_000)
    const scope = eachScope()
    let node: RabbitNode
    before(async function () {
      this.timeout(120_000)
      node = await startRabbitNode()
    })
    after(() => node[Symbol.asyncDispose]())

    it('runs the tasks of the other, and lets them end when it stops before it could consume the first', async () => {
      const service = freshNamespace()
      const broker = scope().use(await openRabbitBroker({ urls: [node.url], namespace: service }))
      await publish(broker, { queue: 'gone' })
      await leaderOf(node, 'stop', `${service}.q.gone`)
      const app = new LaneApp(scope(), { service, broker: node.url })
      const worker = app.beginning({ worker: { queues: ['gone', 'default'] } })
      await app.call('ignore.inline', app.gate)
      await app.done(/./, 1, 60_000)

      worker.kill('SIGTERM')
      await worker.line(/The worker stops; 1 running task/)
      app.open()
      await worker.exited

      expect(app.deeds().map(({ attempt }) => attempt)).to.deep.equal([1, 1])
      await until('the end', async () => (await broker.count('default')).waiting === 0)
      expect(worker.output).to.not.match(/was lost/)
    })
  },
  { own: true },
)
