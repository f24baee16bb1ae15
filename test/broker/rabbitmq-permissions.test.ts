import { expect } from 'chai'
import type { Broker, Delivery } from '#src/broker/broker.js'
import { openRabbitBroker } from '#src/broker/rabbitmq/broker.js'
import { openRabbitLocks } from '#src/broker/rabbitmq/locks.js'
import { codeOf, collect, DONE, keptLog, publish, RabbitCase } from '../kit/rabbit-case.js'
import { describeRabbit, isRecentRabbit, startRabbitNode, type RabbitNode } from '../kit/rabbitmq.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

describeRabbit(
  'A user of RabbitMQ with few permissions',
  function () {
    this.timeout(120_000)
    const scope = eachScope()
    let node: RabbitNode
    before(async function () {
      this.timeout(120_000)
      node = await startRabbitNode()
    })
    after(() => node[Symbol.asyncDispose]())

    /** The URL of a new user of the node with these permissions. */
    async function userWith(configure: string, write: string, read: string): Promise<string> {
      const name = `user${Math.random().toString(36).slice(2)}`
      await node.ctl('add_user', name, 'secret')
      await node.ctl('set_permissions', name, configure, write, read)
      return node.url.replace('guest:guest', `${name}:secret`)
    }

    it('needs those to names with its namespace, and to write to the default exchange', async () => {
      const c = new RabbitCase(scope(), node.url)
      const own = String.raw`^${c.namespace}\..*`
      const options = { urls: [await userWith(own, String.raw`^(amq\.default|${c.namespace}\..*)$`, own)] }
      const broker = await c.open(options)
      const locks = scope().use(await openRabbitLocks({ ...options, namespace: c.namespace }))

      await publish(broker, { body: Buffer.from('dead') })
      await publish(broker, { body: Buffer.from('again'), delayMs: 100 })
      const runs = await consumeAll(broker)
      await until('three runs', () => runs.length === 3)
      await until('the dead letter', async () => (await broker.count('mail')).dead === 1)
      await broker.browse('mail.dead', () => ({ kind: 'remove' }))
      const answers = scope().use(await broker.consume('answers', { concurrency: 1, temporary: true }, async () => DONE).then(disposable))
      const held = await locks.take('name')

      expect(answers).to.be.an('object')
      expect(held?.lost.aborted).to.equal(false)
      expect(await broker.count('mail')).to.deep.equal({ waiting: 0, dead: 0 })
      expect(c.lines.join('\n')).not.to.match(/refused|used as it is/)
    })

    it('uses what others declared for it where it may not declare itself, and says so', async () => {
      const c = new RabbitCase(scope(), node.url)
      const declared = await c.open()
      const runs = await collect(declared)
      await publish(declared, { delayMs: 300 })
      await until('the run', () => runs.length === 1)
      await declared.close()
      const broker = await c.open({ urls: [await userWith('^$', '.*', '.*')] })

      const ids = [await publish(broker), await publish(broker, { delayMs: 300 })]
      const got = await collect(broker)
      await until('both runs', () => got.length === 2)

      expect(got.map(({ id }) => id).toSorted()).to.deep.equal(ids.toSorted())
      expect(c.lines.join('\n')).to.match(/"t\w+\.q\.mail" is used as it is, which is not as wanted: .*refused/)
    })

    it('is told what it lacks when nobody declared the queue', async () => {
      const c = new RabbitCase(scope(), node.url)
      const { log } = keptLog(c.lines)
      const url = await userWith('^$', '.*', '.*')
      const broker = scope().use(await openRabbitBroker({ urls: [url], namespace: c.namespace, log, confirmTimeoutMs: 5000, connectTimeoutMs: 3000 }))

      const answers = broker.consume('answers', { concurrency: 1, temporary: true }, async () => DONE)
      const codes = [await codeOf(answers), await codeOf(publish(broker)), await codeOf(collect(broker))]

      const [refused, ...others] = codes
      expect(refused).to.equal('BROKER_REFUSED')
      expect(others).to.deep.equal(isRecentRabbit ? ['PUBLISH_UNROUTABLE', 'BROKER_UNREACHABLE'] : ['BROKER_REFUSED', 'BROKER_REFUSED'])
    })
  },
  { own: true },
)

/** Runs each message to the end that its body names. */
async function consumeAll(broker: Broker): Promise<Delivery[]> {
  const runs: Delivery[] = []
  await broker.consume('mail', { concurrency: 10 }, async (delivery) => {
    runs.push(delivery)
    const wanted = String(delivery.body)
    if (wanted === 'dead') return { kind: 'dead', note: 'enough' }
    return delivery.attempt === 1 ? { kind: 'again', delayMs: 100, note: 'once more' } : DONE
  })
  return runs
}

const disposable = ({ stop }: { stop(): Promise<void> }): AsyncDisposable => ({ [Symbol.asyncDispose]: stop })
