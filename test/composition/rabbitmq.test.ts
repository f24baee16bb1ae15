import { compositionEndToEnd } from '../contract/composition-end-to-end.js'
import { describePostgres, sharedPostgresUrl } from '../kit/postgres.js'
import { describeRabbit, freshNamespace, sharedRabbitNode } from '../kit/rabbitmq.js'

describeRabbit('With RabbitMQ', () => {
  before('a server', async function () {
    this.timeout(120_000)
    await sharedRabbitNode()
  })

  const broker = async () => ({ service: freshNamespace(), broker: (await sharedRabbitNode()).url })

  compositionEndToEnd('RabbitMQ and SQLite', broker)

  describePostgres('and PostgreSQL', () => {
    compositionEndToEnd('RabbitMQ and PostgreSQL', async () => ({ ...(await broker()), store: await sharedPostgresUrl() }))
  })
})
