import { cancelEndToEnd } from '../contract/cancel-end-to-end.js'
import { describePostgres, sharedPostgresUrl } from '../kit/postgres.js'
import { describeRabbit, freshNamespace, sharedRabbitNode } from '../kit/rabbitmq.js'

describeRabbit('With RabbitMQ', () => {
  before('a server', async function () {
    this.timeout(120_000)
    await sharedRabbitNode()
  })

  describePostgres('and PostgreSQL', () => {
    cancelEndToEnd('RabbitMQ and PostgreSQL', async () => ({
      service: freshNamespace(),
      broker: (await sharedRabbitNode()).url,
      store: await sharedPostgresUrl(),
    }))
  })
})
