import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { openRabbitBroker } from '#src/broker/rabbitmq/broker.js'
import { brokerContract } from '../contract/broker-contract.js'
import { RABBIT_EXCEPTIONS } from '../kit/rabbit-exceptions.js'
import { describeRabbit, freshNamespace, sharedRabbitNode } from '../kit/rabbitmq.js'

const VICTIM = fileURLToPath(new URL('../kit/rabbit-victim.js', import.meta.url))

describeRabbit('RabbitMQ', () => {
  const namespace = freshNamespace()
  let url = ''
  before(async function () {
    this.timeout(120_000)
    url = (await sharedRabbitNode()).url
  })

  const open = () => openRabbitBroker({ urls: [url], namespace })

  brokerContract('rabbitmq', {
    open,
    second: open,
    async crash(_scope, queue) {
      const victim = fork(VICTIM, [url, namespace, queue])
      const gone = once(victim, 'exit')
      await once(victim, 'message')
      victim.kill('SIGKILL')
      await gone
    },
    except: RABBIT_EXCEPTIONS,
  })
})
