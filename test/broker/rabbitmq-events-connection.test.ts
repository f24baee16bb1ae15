import { expect } from 'chai'
import { openRabbitBroker } from '#src/broker/rabbitmq/broker.js'
import { freePort } from '../kit/free-port.js'
import { codeOf, collect, publish, RabbitCase } from '../kit/rabbit-case.js'
import { describeRabbit, sharedRabbitNode } from '../kit/rabbitmq.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

describeRabbit('RabbitMQ events: connections', function () {
  this.timeout(120_000)
  const scope = eachScope()
  let url = ''
  before(async function () {
    this.timeout(120_000)
    url = (await sharedRabbitNode()).url
  })
  const given = (): RabbitCase => new RabbitCase(scope(), url)

  it('a connection that is reset comes back, and a publish in between waits for that', async () => {
    const c = given()
    const proxy = await c.proxy()
    const broker = await c.open({ urls: [proxy.url] })
    const got = await collect(broker)

    proxy.reset()
    const ids = [await publish(broker), await publish(broker)]

    await until('both messages', () => ids.every((id) => got.some((delivery) => delivery.id === id)))
  })

  it('a connection that is reset with many messages under way comes back, and all of them are stored', async () => {
    const c = given()
    const proxy = await c.proxy()
    const broker = await c.open({ urls: [proxy.url] })
    await publish(broker)

    // at most a thousand are under way at a time: so many take more packets of confirms than are let through
    const all = Promise.all(Array.from({ length: 5000 }, () => publish(broker)))
    proxy.cutAfter = 2

    await all
    expect((await broker.count('mail')).waiting).to.be.at.least(5001)
    expect(proxy.accepted).to.equal(2)
  })

  it('a connection that dies without a word is noticed by the heartbeat, and everything goes on', async () => {
    const c = given()
    const proxy = await c.proxy()
    const broker = await c.open({ urls: [proxy.url], heartbeatSeconds: 1 })
    const got = await collect(broker)

    proxy.freeze()
    const id = await publish(broker)

    await until('the message', () => got.some((delivery) => delivery.id === id))
  })

  it('a host that accepts and stays silent is given up, and the next host is asked where there is one', async () => {
    const c = given()
    const silent = await c.proxy()
    silent.mode = 'silent'

    expect(await codeOf(c.open({ urls: [silent.url], connectTimeoutMs: 300 }))).to.equal('BROKER_UNREACHABLE')
    const broker = await c.open({ urls: [silent.url, url], connectTimeoutMs: 6000 })

    await broker.ping()
  })

  it('a host that accepts and answers one byte now and then is given up in the time given', async () => {
    const c = given()
    const proxy = await c.proxy()
    proxy.mode = 'drip'

    expect(await codeOf(c.open({ urls: [proxy.url], connectTimeoutMs: 700 }))).to.equal('BROKER_UNREACHABLE')

    await until('no socket left', () => proxy.open === 0)
  })

  it('a host that is not there is passed over for the one that is, when opening and after a loss', async () => {
    const c = given()
    const proxy = await c.proxy()
    const dead = `amqp://127.0.0.1:${await freePort()}`

    for (let round = 0; round < 5; round++) {
      const broker = await c.open({ urls: [dead, proxy.url] })
      await publish(broker)
      proxy.reset()
      await publish(broker)
      await broker.close()
    }
  })

  it('a wrong password, or a virtual host that does not exist, is refused at once', async () => {
    const wrong = url.replace(/\/\/.*@/, '//guest:secret@')

    for (const refused of [wrong, `${url}/nowhere`]) {
      const failure = await openRabbitBroker({ urls: [refused], namespace: 'shop' }).catch((error: unknown) => error)
      expect(failure).to.include({ code: 'BROKER_REFUSED' })
      expect(String(failure)).not.to.include('secret')
    }
  })

  it('a virtual host that does not exist, or that the user may not enter, is refused with its name and what to do', async () => {
    const failure = await openRabbitBroker({ urls: [`${url}/no%20where`], namespace: 'shop' }).catch((error: unknown) => error)

    expect(failure).to.include({ code: 'BROKER_REFUSED' })
    expect(String(failure)).to.include('virtual host "no where" does not exist, or user "guest" may not use it. Correct the URL, or run:')
    expect(String(failure)).not.to.include('ConnectionClose')
  })

  it('a node that is connected and confirms nothing is left for another one', async () => {
    const c = given()
    const proxy = await c.proxy()
    const broker = await c.open({ urls: [proxy.url], confirmTimeoutMs: 60_000, heartbeatSeconds: 60 })
    await publish(broker)
    const before = proxy.accepted

    proxy.freeze()
    await publish(broker)

    expect(proxy.accepted).to.be.above(before)
  })

  it('a publish while there is no connection waits, as long as not too many do', async () => {
    const c = given()
    const broker = await c.open({ urls: [`amqp://127.0.0.1:${await freePort()}`], waitForConnection: false })

    const waiting = Array.from({ length: 100_000 }, () => codeOf(broker.publish({ id: 'm', queue: 'mail', body: Buffer.alloc(1) })))

    expect(await codeOf(publish(broker))).to.equal('QUEUE_FULL')
    await broker.close()
    expect(new Set(await Promise.all(waiting))).to.deep.equal(new Set(['BROKER_CLOSED']))
  })
})
