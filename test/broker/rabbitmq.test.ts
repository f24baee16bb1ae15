import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { openRabbitBroker } from '#src/broker/rabbitmq/broker.js'
import { brokerContract } from '../contract/broker-contract.js'
import { describeRabbit, freshNamespace, isRecentRabbit, sharedRabbitNode } from '../kit/rabbitmq.js'

const VICTIM = fileURLToPath(new URL('../kit/rabbit-victim.js', import.meta.url))

describeRabbit('RabbitMQ', () => {
  const namespace = freshNamespace()
  let url = ''
  before(async function () {
    this.timeout(90_000)
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
    except: {
      'a delayed message counts as waiting': 'the server counts what lies in a queue, and a delayed message lies in a delay level',
      'being looked at is no run: the message is delivered as the same attempt, without a crash':
        'to show a message is to deliver it: the server counts that, except for dead letters, where nobody asks',
      ...(isRecentRabbit
        ? {}
        : { 'among waiting messages the one of higher priority is delivered first': 'quorum queues keep priorities from version 4.3 on' }),
    },
  })
})
