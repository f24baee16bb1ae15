import { keysEndToEnd } from '../contract/keys-end-to-end.js'
import { describePostgres, sharedPostgresUrl } from '../kit/postgres.js'
import { describeRabbit, freshNamespace, sharedRabbitNode } from '../kit/rabbitmq.js'

describeRabbit('With RabbitMQ', () => {
  before('a server', async function () {
    this.timeout(120_000)
    await sharedRabbitNode()
  })

  // the key of a caller that died is free again after twice the time that a confirm may take
  const broker = async () => ({ service: freshNamespace(), broker: { url: (await sharedRabbitNode()).url, confirmTimeout: '4s' } })

  keysEndToEnd('RabbitMQ and SQLite', broker)

  describePostgres('and PostgreSQL', () => {
    keysEndToEnd('RabbitMQ and PostgreSQL', async () => ({ ...(await broker()), store: await sharedPostgresUrl() }))
  })
})
