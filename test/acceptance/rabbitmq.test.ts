import { describeRabbit, freshNamespace, sharedRabbitNode } from '../kit/rabbitmq.js'
import { eachScope } from '../kit/temporary.js'
import { itKeepsTenThousandCallsApart } from './mixed-calls.js'

describeRabbit('RabbitMQ, from call to body', () => {
  let url = ''
  before(async function () {
    this.timeout(120_000)
    url = (await sharedRabbitNode()).url
  })

  itKeepsTenThousandCallsApart(eachScope(), () => ({ service: freshNamespace(), broker: url }))
})
