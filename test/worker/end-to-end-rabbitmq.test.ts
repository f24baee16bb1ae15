import { connect } from 'amqplib'
import { endToEnd } from '../contract/end-to-end.js'
import { describeRabbit, freshNamespace, sharedRabbitNode } from '../kit/rabbitmq.js'

describeRabbit('With RabbitMQ', () => {
  before('a server', async function () {
    this.timeout(60_000)
    await sharedRabbitNode()
  })

  endToEnd('RabbitMQ', {
    config: async () => ({ service: freshNamespace(), broker: (await sharedRabbitNode()).url }),
    put: async (body, { settings }) => {
      const connection = await connect((await sharedRabbitNode()).url)
      const channel = await connection.createConfirmChannel()
      // as it comes from a program that knows nothing of us: no id, no headers
      channel.sendToQueue(`${settings.service}.q.default`, body)
      await channel.waitForConfirms()
      await connection.close()
    },
  })
})
