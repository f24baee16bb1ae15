import { fork } from 'node:child_process'
import type { Channel } from 'amqplib'
import { expect } from 'chai'
import type { Delivery } from '#src/broker/broker.js'
import { Session } from '#src/broker/rabbitmq/link/session.js'
import { systemClock, type Clock } from '#src/core/clock.js'
import { collect, DONE, hold, publish, RabbitCase } from '../kit/rabbit-case.js'
import { channelsOf } from '../kit/rabbit-channels.js'
import { LongCase, startImpatientNode } from '../kit/rabbit-long-case.js'
import { describeRabbit, isRecentRabbit, sharedRabbitNode, type RabbitNode } from '../kit/rabbitmq.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

const isLost = ({ delivery }: { delivery: Delivery }): boolean => delivery.lost?.aborted === true

describeRabbit('A consumer on RabbitMQ', function () {
  this.timeout(120_000)
  const scope = eachScope()
  let url = ''
  before(async function () {
    this.timeout(120_000)
    url = (await sharedRabbitNode()).url
  })
  const given = (): RabbitCase => new RabbitCase(scope(), url)

  it('whose channel the server closes, because it does not know an acknowledgement, has a new one and loses nothing', async () => {
    const c = given()
    const broker = await c.open()
    const channels = channelsOf(scope())
    const held = await hold(broker)
    const id = await publish(broker)
    await until('the delivery', () => held.length === 1)

    for (const channel of channels) {
      try {
        channel.ack({ fields: { deliveryTag: 999 } } as Parameters<Channel['ack']>[0]) // the client library reads nothing else
      } catch {
        // closed before, as the channels of statements are
      }
    }
    await until('the word that the message is gone', () => held.every(isLost))
    held[0]?.settle({ kind: 'again', delayMs: 0 })
    await until('the message again', () => held.length === 2)
    held[1]?.settle(DONE)
    await until('the end', async () => (await broker.count('mail')).waiting === 0)

    expect(held.map(({ delivery: { id: came, attempt, crashes } }) => [came, attempt, crashes])).to.deep.equal([
      [id, 1, 0],
      [id, 2, 1],
    ])
  })

  it('whose queue is deleted tells its runs, drops their verdicts, and consumes the queue that comes in its place', async () => {
    const c = given()
    const broker = await c.open()
    const held = await hold(broker)
    await publish(broker)
    await until('the delivery', () => held.length === 1)

    await c.operate((channel) => channel.deleteQueue(`${c.namespace}.q.mail`))
    await until('the word that the message is gone', () => held.every(isLost))
    held[0]?.settle({ kind: 'dead', note: 'too late' })
    const id = await publish(broker)
    await until('the next message', () => held.length === 2)
    held[1]?.settle(DONE)

    expect(held[1]?.delivery.id).to.equal(id)
    expect((await broker.count('mail')).dead).to.equal(0)
  })

  it('that the server has forgotten without a word is set up anew', async () => {
    const c = given()
    const tags = new Map<string, Channel>()
    const original = Session.prototype.channel
    Session.prototype.channel = async function () {
      const channel = await original.call(this)
      const { consume } = channel
      channel.consume = async (...args) => {
        const answer = await consume.apply(channel, args)
        tags.set(answer.consumerTag, channel)
        return answer
      }
      return channel
    }
    scope().defer(() => (Session.prototype.channel = original))
    // the minute in which nothing came; whatever else takes its time has it
    const impatient: Clock = { now: () => systemClock.now(), after: (ms, fn) => systemClock.after(ms === 60_000 ? 500 : ms, fn) }
    const broker = await c.open({ clock: impatient })
    const got = await collect(broker)

    // as if the server did it, of which the driver hears nothing
    for (const [tag, channel] of tags) await channel.cancel(tag)
    const ids = [await publish(broker), await publish(broker)]

    await until('the messages', () => got.length === 2)
    expect(got.map(({ id, attempt }) => [id, attempt])).to.deep.equal(ids.map((id) => [id, 1]))
  })

  it('acknowledges nothing of others when 100 runs end after their connection was lost', async () => {
    const c = given()
    const proxy = await c.proxy()
    const publisher = await c.open()
    const ids = await Promise.all(Array.from({ length: 100 }, () => publish(publisher)))
    const consumer = await c.open({ urls: [proxy.url] })
    const held = await hold(consumer, 100)
    await until('all deliveries', () => held.length === 100)

    proxy.reset()
    await until('the word that the messages are gone', () => held.every(isLost))
    const first = held.splice(0)
    // the same tags as before, for other messages of which none is settled
    for (const { settle } of first.toReversed()) settle(DONE)
    await until('all deliveries again', () => held.length === 100)
    await consumer.close()

    const back = await collect(publisher)
    await until('all of them', () => back.length >= 100)
    expect(back.map(({ id }) => id).toSorted()).to.deep.equal(ids.toSorted())
    await until('the end', async () => (await publisher.count('mail')).waiting === 0)
    expect(back).to.have.length(100)
  })

  it('drops every verdict that comes after the loss of its connection, whatever it is', async () => {
    const c = given()
    const proxy = await c.proxy()
    const publisher = await c.open()
    const consumer = await c.open({ urls: [proxy.url] })
    const held = await hold(consumer, 4)
    for (let count = 1; count <= 4; count++) await publish(publisher)
    await until('all deliveries', () => held.length === 4)

    proxy.reset()
    await until('the word that the messages are gone', () => held.every(isLost))
    const [one, two, three, four] = held.splice(0)
    one?.settle({ kind: 'again', delayMs: 0 })
    two?.settle({ kind: 'dead', note: 'too late' })
    three?.settle({ kind: 'release' })
    four?.settle({ kind: 'later', delayMs: 0 })
    await until('all deliveries again', () => held.length === 4)
    for (const { settle } of held) settle(DONE)
    await until('the end', async () => (await publisher.count('mail')).waiting === 0)

    expect(held).to.have.length(4)
    expect((await publisher.count('mail')).dead).to.equal(0)
  })

  it('takes a handler that throws at once for a lost run, and goes on with the same channel', async () => {
    const c = given()
    const broker = await c.open()
    const channels = channelsOf(scope())
    const attempts: number[] = []
    await broker.consume('mail', { concurrency: 1 }, ({ attempt }) => {
      attempts.push(attempt)
      if (attempt === 1) throw new Error('a defect')
      return Promise.resolve(DONE)
    })
    const opened = channels.length

    await publish(broker)
    await until('the second run', () => attempts.length === 2)
    await publish(broker)
    await until('the next message', () => attempts.length >= 3)

    expect(attempts.slice(0, 2)).to.deep.equal([1, 2])
    expect(channels).to.have.length(opened)
  })

  it('in a process whose event loop stands still is not waited for: the message runs elsewhere, and the process comes back', async () => {
    const c = given()
    const publisher = await c.open()
    const id = await publish(publisher)
    const path = new URL('../kit/rabbit-blocked.js', import.meta.url)
    const child = fork(path, [url, c.namespace, 'mail', '6000'], { execArgv: [] })
    scope().defer(() => child.kill('SIGKILL'))
    const lines: string[] = []
    child.on('message', (line) => lines.push(JSON.stringify(line)))
    await until('the first run', () => lines.includes('"run 1"'))

    const other = await c.open()
    const got = await collect(other)
    await until('the run elsewhere', () => got.length === 1)
    await until('the verdict without effect', () => lines.some((line) => line.includes('it has no effect')))
    await other.close()
    await publish(publisher)
    await until('another run in the process', () => lines.includes('"run 2"'))

    expect(got.map(({ id: came, attempt, crashes }) => [came, attempt, crashes])).to.deep.equal([[id, 2, 1]])
    await until('the end', async () => (await publisher.count('mail')).waiting === 0)
  })
})

describeRabbit(
  'A consumer on a RabbitMQ of its own',
  function () {
    this.timeout(120_000)
    const scope = eachScope()
    let node: RabbitNode
    before(async function () {
      this.timeout(120_000)
      node = await startImpatientNode()
    })
    after(() => node[Symbol.asyncDispose]())

    it('that holds a message for longer than the server waits is told so, and goes on consuming', async () => {
      const c = new LongCase(scope(), node)
      // half an hour: more than this server allows
      const broker = await c.open()
      const held = await hold(broker)
      const id = await publish(broker)
      await until('the delivery', () => held.length === 1)

      await until('the word that the message is gone', () => held.slice(0, 1).every(isLost))
      const reason = String(held[0]?.delivery.lost?.reason)
      held[0]?.settle(DONE)
      await until('the message again', () => held.length === 2)
      held[1]?.settle(DONE)
      await until('the end', async () => (await broker.count('mail')).waiting === 0)

      expect(held.map(({ delivery: { id: came, attempt, crashes } }) => [came, attempt, crashes])).to.deep.equal([
        [id, 1, 0],
        // from 4.3 on the server counts the time that ran out no different from a polite return
        isRecentRabbit ? [id, 1, 0] : [id, 2, 1],
      ])
      expect(reason).to.match(/RabbitMQ took it back/)
    })

    it('whose connections an operator closes in good order comes back, and tells its runs', async () => {
      const c = new LongCase(scope(), node)
      await c.bePatient()
      const broker = await c.open()
      const held = await hold(broker)
      await publish(broker)
      await until('the delivery', () => held.length === 1)

      await node.ctl('close_all_connections', 'maintenance')

      await until('the word that the message is gone', () => held.slice(0, 1).every(isLost))
      await until('the message again', () => held.length === 2)
      held[1]?.settle(DONE)
      expect(held[1]?.delivery.attempt).to.equal(2)
    })
  },
  { own: true },
)
