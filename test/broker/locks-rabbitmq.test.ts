import { openRabbitLocks } from '#src/broker/rabbitmq/locks.js'
import { locksContract } from '../contract/locks-contract.js'
import { holdInProcess } from '../kit/locks-holder.js'
import { describeRabbit, freshNamespace, sharedRabbitNode } from '../kit/rabbitmq.js'
import { TcpProxy } from '../kit/tcp-proxy.js'

describeRabbit('Names on RabbitMQ', () => {
  const namespace = freshNamespace()
  let url = ''
  before(async function () {
    this.timeout(120_000)
    url = (await sharedRabbitNode()).url
  })

  const open = () => openRabbitLocks({ urls: [url], namespace })

  locksContract('rabbitmq', {
    open,
    second: open,
    holdElsewhere: (scope, name) => holdInProcess(scope, { kind: 'rabbitmq', url, namespace }, name),
    async fragile(scope) {
      const proxy = scope.use(await TcpProxy.to(url))
      return { locks: await openRabbitLocks({ urls: [proxy.url], namespace }), cut: () => proxy.reset() }
    },
  })
})
