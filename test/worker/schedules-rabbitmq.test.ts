import { schedulesEndToEnd } from '../contract/schedules-end-to-end.js'
import { describeRabbit, freshNamespace, sharedRabbitNode } from '../kit/rabbitmq.js'

describeRabbit('With RabbitMQ', () => {
  before('a server', async function () {
    this.timeout(60_000)
    await sharedRabbitNode()
  })

  schedulesEndToEnd('RabbitMQ', async () => ({ service: freshNamespace(), broker: (await sharedRabbitNode()).url }))
})
