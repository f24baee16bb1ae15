import { expect } from 'chai'
import { codeOf, collect, publish, RabbitCase } from '../kit/rabbit-case.js'
import { describeRabbit, sharedRabbitNode } from '../kit/rabbitmq.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

describeRabbit('RabbitMQ events: publishing', function () {
  this.timeout(120_000)
  const scope = eachScope()
  let url = ''
  before(async function () {
    this.timeout(120_000)
    url = (await sharedRabbitNode()).url
  })
  const given = (): RabbitCase => new RabbitCase(scope(), url)

  it('an exchange of the delays that is gone (code 404) is declared again', async () => {
    const c = given()
    const broker = await c.open()
    await publish(broker, { delayMs: 50 })
    await c.operate((channel) => channel.deleteExchange(`${c.namespace}.delay.0`))

    const id = await publish(broker, { delayMs: 50 })

    const got = await collect(broker)
    await until('the message', () => got.some((delivery) => delivery.id === id))
  })

  it('an exchange that is gone (code 404) takes the channel with it, and what else was under way there is stored all the same', async () => {
    const c = given()
    const proxy = await c.proxy()
    const broker = await c.open({ urls: [proxy.url] })
    await Promise.all([publish(broker, { delayMs: 50 }), publish(broker)])
    await c.operate((channel) => channel.deleteExchange(`${c.namespace}.delay.0`))

    const some = Array.from({ length: 20 }, () => [publish(broker), publish(broker, { delayMs: 50 }), publish(broker, { queue: 'other' })])
    await Promise.all(some.flat())

    expect((await broker.count('other')).waiting).to.be.at.least(20)
    await until('the delayed messages', async () => (await broker.count('mail')).waiting >= 42)
    expect(proxy.accepted).to.equal(1)
  })

  it('a queue with other arguments (code 406) is used as it is, and the log says which one differs, how, and what to do', async () => {
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

  it('a message larger than the server takes is refused at once, and harms no other', async () => {
    const broker = await given().open()

    const other = publish(broker)

    expect(await codeOf(publish(broker, { body: Buffer.alloc(16 * 1024 * 1024 + 1) }))).to.equal('PAYLOAD_TOO_LARGE')
    await other
  })

  it('a consumer asks for a share of its own, never of the whole channel (code 540)', async () => {
    const c = given()
    const proxy = await c.proxy()
    const broker = await c.open({ urls: [proxy.url] })

    const got = await collect(broker)
    await publish(broker)

    await until('the message', () => got.length === 1)
    expect(proxy.accepted).to.equal(2)
    expect(c.lines.filter((line) => line.includes('lost'))).to.deep.equal([])
  })

  it('a queue that is full refuses with QUEUE_FULL, and other queues are not held up', async () => {
    const c = given()
    await c.operate((channel) =>
      channel.assertQueue(`${c.namespace}.q.mail`, {
        arguments: { 'x-queue-type': 'quorum', 'x-max-length': 1, 'x-overflow': 'reject-publish' },
      }),
    )
    const broker = await c.open({ confirmTimeoutMs: 5000 })
    // the server lets a few more in than it was told
    const outcomes: unknown[] = []
    const overflow = until('a refusal', async () => outcomes[outcomes.push(await codeOf(publish(broker))) - 1] === 'QUEUE_FULL')

    for (let number = 0; number < 20; number++) await publish(broker, { queue: 'other' })

    await overflow
    expect((await broker.count('mail')).waiting).to.equal(outcomes.length - 1)
    expect(outcomes.slice(0, -1).every((outcome) => outcome === 'nothing')).to.equal(true)
  })

  it('a queue that was deleted is declared again for the message that came back, so that it is not lost', async () => {
    const c = given()
    const broker = await c.open()
    await publish(broker)
    await c.operate((channel) => channel.deleteQueue(`${c.namespace}.q.mail`))

    await publish(broker)

    expect(await broker.count('mail')).to.deep.equal({ waiting: 1, dead: 0 })
  })

  it('a message that no queue takes is rejected alone, and those beside it are stored', async () => {
    const c = given()
    const broker = await c.open()
    await publish(broker)

    const beside = Array.from({ length: 20 }, () => publish(broker))
    const outcome = await codeOf(publish(broker, { queue: 'nobody', toTemporary: true }))
    await Promise.all(beside)

    expect(outcome).to.equal('PUBLISH_UNROUTABLE')
    expect((await broker.count('mail')).waiting).to.equal(21)
  })
})
