import { expect } from 'chai'
import { freePort } from '../kit/free-port.js'
import { codeOf, keptLog, publish, RabbitCase } from '../kit/rabbit-case.js'
import { describeRabbit, sharedRabbitNode } from '../kit/rabbitmq.js'
import { TcpProxy } from '../kit/tcp-proxy.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

describeRabbit('RabbitMQ away', function () {
  this.timeout(60_000)
  const scope = eachScope()
  let url = ''
  before(async function () {
    this.timeout(90_000)
    url = (await sharedRabbitNode()).url
  })
  const given = (): RabbitCase => new RabbitCase(scope(), url)

  it('rejects a publish at once when that was asked for, and takes it again when the connection is back', async () => {
    const c = given()
    const proxy = await c.proxy()
    const broker = await c.open({ urls: [proxy.url], whenAway: 'reject', confirmTimeoutMs: 600_000 })
    await publish(broker)

    proxy.mode = 'silent'
    proxy.reset()
    await until('the loss', async () => (await codeOf(publish(broker))) === 'BROKER_UNREACHABLE')
    proxy.mode = 'pass'
    proxy.reset()

    await until('a publish that is stored', async () => (await codeOf(publish(broker))) === 'nothing')
  })

  it('rejects at once what was under way when the connection is lost, and says that it may be stored', async () => {
    const c = given()
    const proxy = await c.proxy()
    const broker = await c.open({ urls: [proxy.url], whenAway: 'reject', confirmTimeoutMs: 600_000, heartbeatSeconds: 60 })
    await publish(broker)
    proxy.mode = 'silent'
    proxy.freeze()

    const underWay = publish(broker).catch((error: unknown) => error)
    const unprepared = publish(broker, { queue: 'other' }).catch((error: unknown) => error)
    proxy.reset()

    expect(await underWay).to.include({ code: 'PUBLISH_TIMEOUT' })
    expect(String(await underWay)).to.include('whether it is stored is unknown')
    expect(await unprepared).to.include({ code: 'BROKER_UNREACHABLE' })
  })

  it('lets a broker open that does not wait, which is connected as soon as there is a server', async () => {
    const c = given()
    const proxy = await c.proxy()
    proxy.mode = 'silent'

    const broker = await c.open({ urls: [proxy.url], waitForConnection: false, whenAway: 'reject' })
    expect(await codeOf(publish(broker))).to.equal('BROKER_UNREACHABLE')
    await until('an attempt', () => proxy.accepted > 0)
    proxy.mode = 'pass'
    proxy.reset()

    await until('a publish that is stored', async () => (await codeOf(publish(broker))) === 'nothing')
  })

  it('lets a broker that does not wait close before there was any server', async () => {
    const urls = [`amqp://127.0.0.1:${await freePort()}`]
    const broker = await given().open({ urls, waitForConnection: false })
    const waiting = codeOf(publish(broker))

    await broker.close()

    expect(await waiting).to.equal('BROKER_CLOSED')
  })

  it('because it refuses the user is told of in the log, also by a broker that does not wait', async () => {
    const { log, lines } = keptLog()
    const proxy = scope().use(await TcpProxy.to(url))
    const wrong = proxy.url.replace(/\/\/.*@/, '//guest:secret@')

    await given().open({ urls: [wrong], waitForConnection: false, log: { ...log, warn: () => {} } })

    const line = await until('the line', () => lines[0])
    expect(line).to.match(/Cannot connect to RabbitMQ at amqp:\/\/guest:\*\*\*@.*refused.*Check user, password.*Trying again/)
    expect(line).not.to.include('secret')
  })
})
