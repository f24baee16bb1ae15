import { expect } from 'chai'
import { resolveRabbitOptions } from '#src/broker/rabbitmq/link/options.js'

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

  it('take a heartbeat of whole seconds, or 0 for none', () => {
    const given = (heartbeatSeconds: number) => ({ urls: ['amqp://localhost'], namespace: 'shop', heartbeatSeconds })

    expect([0, 1, 65_535].map((seconds) => resolveRabbitOptions(given(seconds)).heartbeatSeconds)).to.deep.equal([0, 1, 65_535])
    for (const wrong of [-1, 0.5, 65_536, Number.NaN, Infinity]) {
      expect(() => resolveRabbitOptions(given(wrong)), String(wrong)).to.throw().with.property('code', 'OPTION_INVALID')
    }
  })

  it('refuse a namespace that belongs to the server, and no URL at all', () => {
    for (const wrong of [{ urls: ['amqp://localhost'], namespace: 'amq.shop' }, { urls: [], namespace: 'shop' }]) {
      expect(() => resolveRabbitOptions(wrong)).to.throw().with.property('code', 'OPTION_INVALID')
    }
  })
})
