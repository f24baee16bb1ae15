import { expect } from 'chai'
import fc from 'fast-check'
import { Acknowledger, type SettlingChannel, type TagHolder } from '#src/broker/rabbitmq/acknowledger.js'
import { resolveRabbitOptions } from '#src/broker/rabbitmq/options.js'
import { until } from '../kit/until.js'

/** What the server knows of the deliveries of a channel: it closes the channel over a tag that is not outstanding. */
class ServerSide implements SettlingChannel {
  readonly outstanding = new Set<number>()
  readonly acknowledged = new Set<number>()
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
    if (!this.outstanding.delete(tag)) throw new Error(`tag ${tag} is not outstanding`)
  }
}

describe('RabbitMQ acknowledgements', () => {
  it('settle exactly what was settled, in whatever order and turns it comes', async () => {
    const verdict = fc.constantFrom('done', 'done', 'done', 'release', 'lost', 'turn')
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(20), verdict), { maxLength: 60 }), async (steps) => {
        const server = new ServerSide()
        const acks = new Acknowledger(server, () => expect.fail('nothing is stale here'))
        const running: number[] = []
        const done = new Set<number>()
        for (const [index, [place, what]] of steps.entries()) {
          const tag = index + 1
          server.outstanding.add(tag)
          acks.delivered(tag)
          running.push(tag)
          if (what === 'turn') await new Promise((resolve) => setImmediate(resolve))
          else {
            const [settled = 0] = running.splice(place % running.length, 1)
            acks[what](settled)
            if (what === 'done') done.add(settled)
          }
        }
        acks.flush()

        expect(server.acknowledged).to.deep.equal(done)
        expect(server.outstanding).to.deep.equal(new Set(running))
      }),
    )
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

describe('RabbitMQ options', () => {
  it('never show a password, not even of a URL that cannot be read', () => {
    const { hosts } = resolveRabbitOptions({ urls: ['amqps://ada:s%40cret@mq.example/shop'], namespace: 'shop' })

    expect(hosts[0]).to.include({ port: 5671, username: 'ada', password: 's@cret', vhost: 'shop' })
    expect(hosts[0]?.shown).to.equal('amqps://ada:***@mq.example/shop')
    expect(() => resolveRabbitOptions({ urls: ['mq://ada:secret@'], namespace: 'shop' }))
      .to.throw('not of the form')
      .with.property('message')
      .that.does.not.include('secret')
  })

  it('refuse a namespace that belongs to the server, and no URL at all', () => {
    for (const wrong of [{ urls: ['amqp://localhost'], namespace: 'amq.shop' }, { urls: [], namespace: 'shop' }]) {
      expect(() => resolveRabbitOptions(wrong)).to.throw().with.property('code', 'OPTION_INVALID')
    }
  })
})
