import { openRabbitBroker } from '#src/broker/rabbitmq/broker.js'
import { codeOf, publish } from '../kit/rabbit-case.js'
import { describeRabbit, freshNamespace, startRabbitNode } from '../kit/rabbitmq.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

describeRabbit(
  'RabbitMQ stopped and started again',
  function () {
    this.timeout(180_000)
    const scope = eachScope()

    it('refuses what it could not send in time, and takes calls again when it is back', async () => {
      const node = scope().use(await startRabbitNode())
      const broker = scope().use(await openRabbitBroker({ urls: [node.url], namespace: freshNamespace(), confirmTimeoutMs: 500 }))
      await until('a publish that is stored', async () => (await codeOf(publish(broker))) === 'nothing')

      await node.stop()
      await until('the loss', async () => (await codeOf(publish(broker))) === 'BROKER_UNREACHABLE')
      await node.restart()

      await until('a publish that is stored', async () => (await codeOf(publish(broker))) === 'nothing', 60_000)
      await broker.ping()
    })
  },
  { own: true },
)
