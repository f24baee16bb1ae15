import { collect, publish, RabbitCase } from '../kit/rabbit-case.js'
import { describeRabbit, sharedRabbitNode } from '../kit/rabbitmq.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

/**
 * What is known to go wrong with the client library around connections, and where it is tested:
 *
 * 1  closing never settles on a dead link: here, and "close in good time …" in rabbitmq-connection.test.ts
 * 2  connecting to a silent host hangs: "a host that accepts …" in rabbitmq-events-connection.test.ts
 * 3  a link lost while it is set up crashes the process, or leaves it with a dead connection: here
 * 4  an unheard error of a channel ends the connection: "an exchange that is gone (code 404) …" in rabbitmq-events-publishing.test.ts
 * 5  a close in good order is no error: "a connection that the server closes …" in rabbitmq-events-server.test.ts
 * 7  the socket of a silent server stays open: here
 * 8  publishing on a closed channel throws, 9 what was unconfirmed fails: "… takes the channel with it …" in
 *    rabbitmq-events-publishing.test.ts; settling on one: rabbitmq-traps-acknowledgements.test.ts; "… with many messages under way …" in rabbitmq-events-connection.test.ts
 * 10 and 11 frame size, heartbeat: "a connection asks for …" in rabbitmq-events-server.test.ts; without a bound:
 *    "a publish while there is no connection …" in rabbitmq-events-connection.test.ts
 * 12 a second acknowledgement closes the channel: rabbitmq-traps-acknowledgements.test.ts
 */
describeRabbit('RabbitMQ traps: connections', function () {
  this.timeout(300_000)
  const scope = eachScope()
  let url = ''
  before(async function () {
    this.timeout(120_000)
    url = (await sharedRabbitNode()).url
  })
  const given = (): RabbitCase => new RabbitCase(scope(), url)

  it('a connection that is cut at any step of its making, of publishing or of consuming is made again, and nothing is lost', async () => {
    const c = given()
    const proxy = await c.proxy()
    const sent: string[] = []
    const got = new Set<string>()

    for (let step = 0; step < 30; step++) {
      proxy.cutAfter = step
      const broker = await c.open({ urls: [proxy.url] })
      const received = await collect(broker)
      sent.push(await publish(broker), await publish(broker, { delayMs: 20 }))
      const note = (): void => received.forEach(({ id }) => got.add(id))
      await until('what was sent before', () => {
        note()
        return sent.slice(0, -1).every((id) => got.has(id))
      })
      proxy.cutAfter = Infinity
      await broker.close()
      note() // the delayed one may have come meanwhile
    }

    const received = await collect(await c.open())
    await until('the rest', () => sent.every((id) => got.has(id) || received.some((delivery) => delivery.id === id)))
  })

  it('a connection that is cut when it is closed does not hold up the close', async () => {
    const c = given()
    const proxy = await c.proxy()
    for (let step = 0; step < 4; step++) {
      const broker = await c.open({ urls: [proxy.url] })
      await collect(broker)
      await publish(broker)

      proxy.cutAfter = step
      await broker.close()

      proxy.cutAfter = Infinity
      await until('no socket left', () => proxy.open === 0)
    }
  })

  it('a connection that is given up because nothing comes any more leaves no socket behind', async () => {
    const c = given()
    const proxy = await c.proxy()
    const broker = await c.open({ urls: [proxy.url], confirmTimeoutMs: 60_000, heartbeatSeconds: 60 })
    await publish(broker)

    proxy.freeze()
    await publish(broker)

    // the server's half of the black hole, and both halves of the new connection
    await until('the socket of the first connection gone', () => proxy.open === 3)
  })
})
