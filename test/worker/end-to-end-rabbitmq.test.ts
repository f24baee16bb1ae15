import { connect } from 'amqplib'
import { endToEnd } from '../contract/end-to-end.js'
import { describeRabbit, freshNamespace, sharedRabbitNode } from '../kit/rabbitmq.js'

describeRabbit('With RabbitMQ', () => {
  before('a server', async function () {
    this.timeout(120_000)
    await sharedRabbitNode()
  })

  let service = ''
  endToEnd('RabbitMQ', {
    config: async () => {
      service = freshNamespace()
      return { service, broker: (await sharedRabbitNode()).url }
    },
    put: async (body) => {
      const connection = await connect((await sharedRabbitNode()).url)
      const channel = await connection.createConfirmChannel()
      // as it comes from a program that knows nothing of us: no id, no headers
      channel.sendToQueue(`${service}.q.default`, body)
      await channel.waitForConfirms()
      await connection.close()
    },
  })
})
