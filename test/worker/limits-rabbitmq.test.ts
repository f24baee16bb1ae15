import { limitsEndToEnd } from '../contract/limits-end-to-end.js'
import { describeRabbit, freshNamespace, sharedRabbitNode } from '../kit/rabbitmq.js'

describeRabbit('With RabbitMQ', () => {
  before('a server', async function () {
    this.timeout(120_000)
    await sharedRabbitNode()
  })

  limitsEndToEnd('RabbitMQ', async () => ({ service: freshNamespace(), broker: (await sharedRabbitNode()).url }))
})
