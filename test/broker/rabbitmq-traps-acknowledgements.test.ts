import type { Channel } from 'amqplib'
import { expect } from 'chai'
import fc from 'fast-check'
import { Acknowledger, type SettlingChannel, type TagHolder } from '#src/broker/rabbitmq/consume/acknowledger.js'
import { DONE, hold, publish, RabbitCase } from '../kit/rabbit-case.js'
import { channelsOf } from '../kit/rabbit-channels.js'
import { describeRabbit, sharedRabbitNode } from '../kit/rabbitmq.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

/** What the server knows of the deliveries of a channel: it closes the channel over a tag that is not outstanding. */
class ServerSide implements SettlingChannel {
  readonly outstanding = new Set<number>()
  readonly acknowledged = new Set<number>()
  /** Tags over which the server would have closed the channel. */
  readonly refused: number[] = []
  frames = 0

  ack({ fields: { deliveryTag } }: TagHolder, allUpTo = false): void {
    this.#settle(deliveryTag)
    this.acknowledged.add(deliveryTag)
    for (const tag of this.outstanding) {
      if (!allUpTo || tag > deliveryTag) continue
      this.outstanding.delete(tag)
      this.acknowledged.add(tag)
    }
  }

  nack({ fields: { deliveryTag } }: TagHolder): void {
    this.#settle(deliveryTag)
  }

  reject({ fields: { deliveryTag } }: TagHolder): void {
    this.#settle(deliveryTag)
  }

  #settle(tag: number): void {
    this.frames += 1
    if (!this.outstanding.delete(tag)) this.refused.push(tag)
  }
}

describe('RabbitMQ acknowledgements', () => {
  it('settle each delivery once and as was said first, whatever is said again, in whatever order, turns and pauses (trap 12)', async () => {
    const how = fc.constantFrom('done', 'done', 'done', 'release', 'lost')
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.constant('deliver' as const) },
      { weight: 4, arbitrary: fc.tuple(how, fc.nat(40)) },
      { weight: 2, arbitrary: fc.constantFrom('turn' as const, 'hold' as const, 'resume' as const, 'flush' as const) },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
        const server = new ServerSide()
        const acks = new Acknowledger(server, () => {})
        const said = new Map<number, string>()
        let delivered = 0
        for (const what of steps) {
          if (what === 'deliver') {
            delivered += 1
            server.outstanding.add(delivered)
            acks.delivered(delivered)
          } else if (what === 'turn') await new Promise((resolve) => setImmediate(resolve))
          else if (typeof what === 'string') acks[what]()
          else if (delivered > 0) {
            const tag = 1 + (what[1] % delivered)
            acks[what[0]](tag)
            if (!said.has(tag)) said.set(tag, what[0])
          }
        }
        acks.resume()
        acks.flush()

        const done = [...said].filter(([, verdict]) => verdict === 'done').map(([tag]) => tag)
        expect(server.refused).to.deep.equal([])
        expect(server.acknowledged).to.deep.equal(new Set(done))
        expect(server.outstanding.size).to.equal(delivered - said.size)
      }),
    )
  })

  it('that are held are sent afterwards, each of them, and let the server send nothing before', () => {
    const server = new ServerSide()
    const acks = new Acknowledger(server, () => {})
    for (let tag = 1; tag <= 4; tag++) {
      server.outstanding.add(tag)
      acks.delivered(tag)
    }

    acks.hold()
    for (const tag of [1, 2, 3]) acks.done(tag)
    acks.flush()
    expect([server.frames, acks.outstanding]).to.deep.equal([0, 4])
    acks.resume()

    expect(server.outstanding).to.deep.equal(new Set([4]))
  })

  it('of a hundred that end in one turn take one frame', async () => {
    const server = new ServerSide()
    const acks = new Acknowledger(server, () => {})
    for (let tag = 1; tag <= 100; tag++) {
      server.outstanding.add(tag)
      acks.delivered(tag)
    }

    for (let tag = 100; tag >= 1; tag--) acks.done(tag)

    await until('all acknowledged', () => server.outstanding.size === 0)
    expect(server.frames).to.equal(1)
  })

  it('do not wait for a delivery that takes long', async () => {
    const server = new ServerSide()
    const acks = new Acknowledger(server, () => {})
    for (let tag = 1; tag <= 10; tag++) {
      server.outstanding.add(tag)
      acks.delivered(tag)
    }

    acks.done(5)

    await until('the acknowledgement of the fifth', () => server.acknowledged.has(5))
    expect(server.outstanding.size).to.equal(9)
  })

  it('of a channel that is gone are dropped and counted', () => {
    const server = new ServerSide()
    let stale = 0
    const acks = new Acknowledger(server, () => (stale += 1))
    server.outstanding.add(1)
    acks.delivered(1)

    acks.close()
    acks.done(1)
    acks.flush()

    expect([stale, server.frames]).to.deep.equal([1, 0])
  })
})

describeRabbit('RabbitMQ traps: acknowledgements', function () {
  this.timeout(120_000)
  const scope = eachScope()
  let url = ''
  before(async function () {
    this.timeout(120_000)
    url = (await sharedRabbitNode()).url
  })

  for (const kind of ['done', 'release', 'again'] as const) {
    it(`a verdict "${kind}" on a channel that is closed a moment before throws nowhere, and the message comes again (trap 8)`, async () => {
      const c = new RabbitCase(scope(), url)
      const broker = await c.open()
      const channels = channelsOf(scope())
      const held = await hold(broker)
      await publish(broker)
      await until('the delivery', () => held.length === 1)
      const unheard: unknown[] = []
      const keep = (error: unknown): void => void unheard.push(error)
      process.on('unhandledRejection', keep)
      scope().defer(() => process.off('unhandledRejection', keep))

      // from now on the client library throws at every acknowledgement
      const closing = channels.map((channel) => closedNow(channel))
      held[0]?.settle(kind === 'again' ? { kind, delayMs: 0 } : { kind })
      await Promise.all(closing)
      await until('the message again', () => held.length >= 2)
      for (const { settle } of held) settle(DONE)
      await until('the end', async () => (await broker.count('mail')).waiting === 0)

      expect(unheard).to.deep.equal([])
    })
  }

  it('a message that is settled twice, by a handler that misuses its promise, keeps its channel (trap 12)', async () => {
    const c = new RabbitCase(scope(), url)
    const broker = await c.open()
    const channels = channelsOf(scope())
    const held = await hold(broker)
    const opened = channels.length
    for (let count = 1; count <= 20; count++) await publish(broker)
    await until('the deliveries', () => held.length === 10)

    for (const { settle } of held.splice(0)) {
      settle(DONE)
      settle({ kind: 'release' })
      settle({ kind: 'dead', note: 'again' })
    }
    await until('the others', () => held.length === 10)
    for (const { settle } of held) settle(DONE)
    await until('the end', async () => (await broker.count('mail')).waiting === 0)

    expect(channels).to.have.length(opened)
    expect(held.every(({ delivery }) => delivery.attempt === 1)).to.equal(true)
    expect((await broker.count('mail')).dead).to.equal(0)
  })
})

async function closedNow(channel: Channel): Promise<void> {
  try {
    await channel.close()
  } catch {
    // it was closed before
  }
}
