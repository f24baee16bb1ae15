import { expect } from 'chai'
import { codeOf, collect, publish, RabbitCase } from '../kit/rabbit-case.js'
import { describeRabbit, sharedRabbitNode } from '../kit/rabbitmq.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

describeRabbit('publishing to RabbitMQ', function () {
  this.timeout(60_000)
  const scope = eachScope()
  let url = ''
  before(async function () {
    this.timeout(90_000)
    url = (await sharedRabbitNode()).url
  })
  const given = (): RabbitCase => new RabbitCase(scope(), url)

  it('declares a queue that was deleted again, so that the message is not lost', async () => {
    const c = given()
    const broker = await c.open()
    await publish(broker)
    await c.operate((channel) => channel.deleteQueue(`${c.namespace}.q.mail`))

    await publish(broker)

    expect(await broker.count('mail')).to.deep.equal({ waiting: 1, dead: 0 })
  })

  it('with a delay survives that a delay level was deleted', async () => {
    const c = given()
    const broker = await c.open()
    await publish(broker, { delayMs: 50 })
    await c.operate((channel) => channel.deleteExchange(`${c.namespace}.delay.0`))

    const id = await publish(broker, { delayMs: 50 })

    const got = await collect(broker)
    await until('the message', () => got.some((delivery) => delivery.id === id))
  })

  it('that the server never confirms rejects, because the outcome is unknown', async () => {
    const c = given()
    const proxy = await c.proxy()
    const broker = await c.open({ urls: [proxy.url], confirmTimeoutMs: 600 })
    await publish(broker)
    proxy.mode = 'silent'
    proxy.freeze()

    expect(await codeOf(publish(broker))).to.equal('PUBLISH_TIMEOUT')
    expect(await codeOf(publish(broker))).to.equal('BROKER_UNREACHABLE')
  })

  it('moves to another host when the one it has confirms nothing', async () => {
    const c = given()
    const proxy = await c.proxy()
    const broker = await c.open({ urls: [proxy.url], confirmTimeoutMs: 4000, heartbeatSeconds: 60 })
    await publish(broker)
    const before = proxy.accepted

    proxy.freeze()
    await publish(broker)

    expect(proxy.accepted).to.be.above(before)
  })

  it('to a queue that is full rejects with QUEUE_FULL, and other queues are not held up', async () => {
    const c = given()
    await c.operate((channel) =>
      channel.assertQueue(`${c.namespace}.q.mail`, {
        arguments: { 'x-queue-type': 'quorum', 'x-max-length': 1, 'x-overflow': 'reject-publish' },
      }),
    )
    const broker = await c.open({ confirmTimeoutMs: 1500 })
    // the server lets a few more in than it was told
    const outcomes: unknown[] = []
    const overflow = until('a refusal', async () => outcomes[outcomes.push(await codeOf(publish(broker))) - 1] === 'QUEUE_FULL')

    for (let number = 0; number < 20; number++) await publish(broker, { queue: 'other' })

    await overflow
    expect((await broker.count('mail')).waiting).to.equal(outcomes.length - 1)
    expect(outcomes.slice(0, -1).every((outcome) => outcome === 'nothing')).to.equal(true)
  })

  it('uses a queue with other arguments as it is, and says which one differs, how, and what to do', async () => {
    const c = given()
    const args = { 'x-queue-type': 'quorum', 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': `${c.namespace}.dead.mail` }
    const more = { 'x-delivery-limit': 7, 'x-dead-letter-strategy': 'at-least-once', 'x-overflow': 'reject-publish' }
    await c.operate((channel) => channel.assertQueue(`${c.namespace}.q.mail`, { arguments: { ...args, ...more } }))
    const broker = await c.open()

    await publish(broker)

    const got = await collect(broker)
    await until('the message', () => got.length === 1)
    expect(c.lines.filter((line) => line.includes('used as it is'))).to.have.length(1)
    const line = c.lines.join('\n')
    expect(line).to.include(`the queue "${c.namespace}.q.mail" is used as it is: x-delivery-limit is '7' on the server, and '50' here`)
    expect(line).to.include(`set_policy errand '^${c.namespace}\\.q\\.mail$' '{"delivery-limit": 50}' --apply-to queues, or delete the queue`)
    expect(line).to.include(`rabbitmqctl delete_queue --if-empty '${c.namespace}.q.mail'.`)
  })

  it('names an argument that is not set on the server, and an exchange of another type', async () => {
    const c = given()
    await c.operate(async (channel) => {
      await channel.assertQueue(`${c.namespace}.q.mail`, { arguments: { 'x-queue-type': 'quorum' } })
      await channel.assertExchange(`${c.namespace}.delay.out`, 'direct')
    })
    const broker = await c.open({ confirmTimeoutMs: 1000 })

    await publish(broker)
    await codeOf(publish(broker, { delayMs: 50 }))

    expect(c.lines.join('\n')).to.match(/x-de[\w-]+ is not set on the server, and '[^']*' here/)
    expect(c.lines.join('\n')).to.match(/delay\.out" is used as it is: type is 'direct' on the server, and 'topic' here.*delete the exchange/)
  })

  it('of a message larger than the server takes rejects at once, and harms no other', async () => {
    const broker = await given().open()

    const other = publish(broker)

    expect(await codeOf(publish(broker, { body: Buffer.alloc(16 * 1024 * 1024 + 1) }))).to.equal('PAYLOAD_TOO_LARGE')
    await other
  })

  it('refuses a queue name that does not fit', async () => {
    const broker = await given().open()

    for (const queue of ['', 'x'.repeat(151)]) expect(await codeOf(publish(broker, { queue }))).to.equal('OPTION_INVALID')
  })
})
