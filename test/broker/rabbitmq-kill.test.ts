import { expect } from 'chai'
import { openRabbitBroker } from '#src/broker/rabbitmq/broker.js'
import { codeOf, DONE, publish } from '../kit/rabbit-case.js'
import { describeRabbit, freshNamespace, startRabbitNode } from '../kit/rabbitmq.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

const PUBLISHERS = 50

describeRabbit(
  'RabbitMQ killed and started again',
  function () {
    this.timeout(180_000)
    const scope = eachScope()

    it('has every message whose publish resolved, delayed ones too, and every publish settles', async () => {
      // the server's own wait after a crash is three minutes; that is documented, not tested
      const advanced = '[{rabbit,[{dead_letter_worker_publisher_confirm_timeout,3000}]}].'
      const node = scope().use(await startRabbitNode({ advanced }))
      const broker = scope().use(await openRabbitBroker({ urls: [node.url], namespace: freshNamespace(), confirmTimeoutMs: 60_000 }))
      const [stored, ran, refused] = [new Set<string>(), new Set<string>(), new Set<unknown>()]
      await broker.consume('mail', { concurrency: 50 }, async ({ id }) => {
        ran.add(id)
        return DONE
      })
      let isOver = false
      scope().defer(() => (isOver = true))
      const keepPublishing = async (_: unknown, index: number): Promise<void> => {
        while (!isOver && refused.size === 0) {
          const publishing = publish(broker, index % 5 === 0 ? { delayMs: 300 } : {})
          await publishing.then((id) => stored.add(id), (error: { code?: unknown }) => refused.add(error.code))
        }
      }

      const publishers = Promise.all(Array.from({ length: PUBLISHERS }, keepPublishing))
      for (const _ of ['first', 'second']) {
        const before = stored.size
        await until('some hundred messages', () => stored.size > before + 500, 60_000)
        await node.kill9()
        await node.restart()
      }
      const before = stored.size
      await until('messages after the last start', () => stored.size > before + 500, 60_000)
      isOver = true
      await publishers

      await until('all that was stored', () => [...stored].every((id) => ran.has(id)), 60_000)
      expect([...refused]).to.deep.equal([])
    })

    it('refuses what it could not send in time, and takes calls again when it is back', async () => {
      const node = scope().use(await startRabbitNode())
      const broker = scope().use(await openRabbitBroker({ urls: [node.url], namespace: freshNamespace(), confirmTimeoutMs: 500 }))
      await publish(broker)

      await node.stop()
      await until('the loss', async () => (await codeOf(publish(broker))) === 'BROKER_UNREACHABLE')
      await node.restart()

      await until('a publish that is stored', async () => (await codeOf(publish(broker))) === 'nothing', 60_000)
      await broker.ping()
    })
  },
  { own: true },
)
