import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { openRabbitBroker } from '#src/broker/rabbitmq/broker.js'
import { brokerContract } from '../contract/broker-contract.js'
import { RABBIT_EXCEPTIONS } from '../kit/rabbit-exceptions.js'
import { startRabbitCluster, type RabbitCluster } from '../kit/rabbit-cluster.js'
import { ADVISED_SETTINGS, describeRabbit, freshNamespace, installedScripts, installedVersion } from '../kit/rabbitmq.js'

const VICTIM = fileURLToPath(new URL('../kit/rabbit-victim.js', import.meta.url))

describeRabbit(
  'RabbitMQ with three nodes',
  () => {
    const namespace = freshNamespace()
    let cluster: RabbitCluster | undefined
    before(async function () {
      this.timeout(180_000)
      cluster = await startRabbitCluster({ scripts: installedScripts(), advanced: ADVISED_SETTINGS, isRecent: installedVersion?.startsWith('3') === false })
    })
    after(() => cluster?.[Symbol.asyncDispose]())

    const urls = (): readonly string[] => cluster?.urls ?? []
    const open = () => openRabbitBroker({ urls: urls(), namespace })

    brokerContract('rabbitmq, three nodes', {
      open,
      second: open,
      async crash(_scope, queue) {
        const victim = fork(VICTIM, [urls()[0] ?? '', namespace, queue])
        const gone = once(victim, 'exit')
        await once(victim, 'message')
        victim.kill('SIGKILL')
        await gone
      },
      except: RABBIT_EXCEPTIONS,
    })
  },
  { installed: true },
)
