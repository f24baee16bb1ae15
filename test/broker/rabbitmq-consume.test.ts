import { expect } from 'chai'
import { deadQueueOf } from '#src/broker/broker.js'
import { collect, DONE, hold, publish, RabbitCase } from '../kit/rabbit-case.js'
import { describeRabbit, sharedRabbitNode } from '../kit/rabbitmq.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

describeRabbit('consuming from RabbitMQ', function () {
  this.timeout(120_000)
  const scope = eachScope()
  let url = ''
  before(async function () {
    this.timeout(120_000)
    url = (await sharedRabbitNode()).url
  })
  const given = (): RabbitCase => new RabbitCase(scope(), url)

  it('goes on after an operator deleted the queue', async () => {
    const c = given()
    const broker = await c.open()
    const got = await collect(broker)
    const name = `${c.namespace}.q.mail`

    await c.operate((channel) => channel.deleteQueue(name))
    await until('the consumer again', () =>
      c.operate(async (channel) => {
        channel.on('error', () => {})
        return channel.checkQueue(name).then(({ consumerCount }) => consumerCount === 1, () => false)
      }),
    )

    const id = await publish(broker)
    await until('the message', () => got.some((delivery) => delivery.id === id))
  })

  it('drops verdicts of deliveries whose connection is gone, and runs those again: none is lost, none is taken for another', async () => {
    const c = given()
    const proxy = await c.proxy()
    const publisher = await c.open()
    const ids = await Promise.all(Array.from({ length: 20 }, () => publish(publisher)))
    const consumer = await c.open({ urls: [proxy.url] })
    const held = await hold(consumer, 20)
    await until('all deliveries', () => held.length === 20)

    proxy.reset()
    await until('the deliveries at the server again', async () => (await publisher.count('mail')).waiting === 20 || proxy.accepted > 2)
    const first = held.splice(0)
    for (const { settle } of first) settle(DONE)
    await until('all deliveries again', () => held.length === 20)

    expect(new Set(held.map(({ delivery }) => delivery.id))).to.deep.equal(new Set(ids))
    expect(held.every(({ delivery }) => delivery.attempt === 2 && delivery.crashes === 1)).to.equal(true)
    for (const { settle } of held) settle(DONE)
    await consumer.close()
    expect(await publisher.count('mail')).to.deep.equal({ waiting: 0, dead: 0 })
  })

  it('never runs more than the concurrency, also while runs of a lost connection go on', async () => {
    const c = given()
    const proxy = await c.proxy()
    const publisher = await c.open()
    const broker = await c.open({ urls: [proxy.url] })
    const held = await hold(broker, 2)
    await publish(publisher)
    await publish(publisher)
    await until('two deliveries', () => held.length === 2)

    const before = proxy.accepted
    proxy.reset()
    await until('both connections again', () => proxy.accepted >= before + 2)
    await until('the deliveries with the consumer again', async () => (await publisher.count('mail')).waiting === 0)

    expect(held).to.have.length(2)
    held[0]?.settle(DONE)
    await until('a third', () => held.length === 3)
    for (const { settle } of held) settle(DONE)
    await until('a fourth', () => held.length === 4)
    held[3]?.settle(DONE)
  })

  it('strips what the server noted on a message before it goes round again', async () => {
    const c = given()
    const broker = await c.open()
    const attempts: number[] = []
    await broker.consume('mail', { concurrency: 1 }, async ({ attempt }) => {
      attempts.push(attempt)
      return attempt < 5 ? { kind: 'again', delayMs: 100 } : { kind: 'dead', note: 'enough' }
    })

    await publish(broker, { delayMs: 100 })
    await until('a dead letter', async () => (await broker.count('mail')).dead === 1)

    const letter = await c.operate((channel) => channel.get(`${c.namespace}.dead.mail`, { noAck: true }))
    expect(attempts).to.deep.equal([1, 2, 3, 4, 5])
    expect(letter && { ...letter.properties.headers }).to.deep.include({ attempt: 5, crashes: 0, note: 'enough' })
    expect(letter && Object.keys(letter.properties.headers ?? {})).not.to.include('x-death')
  })

  it('explains a dead letter that the server moved by itself', async () => {
    const c = given()
    const broker = await c.open()
    await publish(broker)
    await c.operate(async (channel) => {
      const message = await until('the message', () => channel.get(`${c.namespace}.q.mail`))
      channel.nack(message, false, false)
      await channel.checkQueue(`${c.namespace}.q.mail`)
    })

    const notes: unknown[] = []
    await broker.consume(deadQueueOf('mail'), { concurrency: 1 }, async ({ note }) => {
      notes.push(note)
      return DONE
    })

    await until('the dead letter', () => notes.length === 1)
    expect(notes[0]).to.match(/RabbitMQ moved it here \(rejected\)/)
  })

  it('keeps a temporary queue over a lost connection', async () => {
    const c = given()
    const proxy = await c.proxy()
    const publisher = await c.open()
    const broker = await c.open({ urls: [proxy.url] })
    const got: string[] = []
    await broker.consume('replies', { concurrency: 5, temporary: true }, async ({ id }) => {
      got.push(id)
      return DONE
    })

    proxy.reset()

    // at first the queue of the lost connection may still be there, and goes with what is in it
    await until('a reply', async () => {
      await publish(publisher, { queue: 'replies', toTemporary: true }).catch(() => {})
      return got.length > 0
    })
  })
})
