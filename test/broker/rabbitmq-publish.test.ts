import { expect } from 'chai'
import { codeOf, publish, RabbitCase } from '../kit/rabbit-case.js'
import { describeRabbit, sharedRabbitNode } from '../kit/rabbitmq.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

describeRabbit('publishing to RabbitMQ', function () {
  this.timeout(120_000)
  const scope = eachScope()
  let url = ''
  before(async function () {
    this.timeout(120_000)
    url = (await sharedRabbitNode()).url
  })
  const given = (): RabbitCase => new RabbitCase(scope(), url)

  it('that the server never confirms rejects, because the outcome is unknown', async () => {
    const c = given()
    const proxy = await c.proxy()
    // a queue takes its time to be declared
    await publish(await c.open())
    const broker = await c.open({ urls: [proxy.url], confirmTimeoutMs: 2000 })
    await until('a publish that is stored', async () => (await codeOf(publish(broker))) === 'nothing')
    proxy.mode = 'silent'
    proxy.freeze()

    expect(await codeOf(publish(broker))).to.equal('PUBLISH_TIMEOUT')
    expect(await codeOf(publish(broker))).to.equal('BROKER_UNREACHABLE')
  })

  it('names an argument that is not set on the server, and an exchange of another type', async () => {
    const c = given()
    await c.operate(async (channel) => {
      await channel.assertQueue(`${c.namespace}.q.mail`, { arguments: { 'x-queue-type': 'quorum' } })
      await channel.assertExchange(`${c.namespace}.delay.out`, 'direct')
    })
    const broker = await c.open({ confirmTimeoutMs: 5000 })

    await publish(broker)
    await codeOf(publish(broker, { delayMs: 50 }))

    expect(c.lines.join('\n')).to.match(/x-de[\w-]+ is not set on the server, and '[^']*' here/)
    expect(c.lines.join('\n')).to.match(/delay\.out" is used as it is: type is 'direct' on the server, and 'topic' here.*delete the exchange/)
  })

  it('refuses a queue name that does not fit', async () => {
    const broker = await given().open()

    for (const queue of ['', 'x'.repeat(151)]) expect(await codeOf(publish(broker, { queue }))).to.equal('OPTION_INVALID')
  })
})
