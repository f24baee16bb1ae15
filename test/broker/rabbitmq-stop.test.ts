import { expect } from 'chai'
import type { Broker, Delivery } from '#src/broker/broker.js'
import { collect, DONE, publish, RabbitCase } from '../kit/rabbit-case.js'
import { describeRabbit, sharedRabbitNode } from '../kit/rabbitmq.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

/** Consumes `mail` as fast as it comes, until some have come or all, and stops in the middle of it. */
async function consumeSome(broker: Broker, got: Delivery[], all: number): Promise<void> {
  const enough = Math.min(got.length + 20, all)
  const subscription = await broker.consume('mail', { concurrency: 5 }, async (delivery) => {
    got.push(delivery)
    return DONE
  })
  await until('some deliveries', () => got.length >= enough)
  await subscription.stop()
}

describeRabbit('A consumer on RabbitMQ that stops', function () {
  this.timeout(120_000)
  const scope = eachScope()
  let url = ''
  before(async function () {
    this.timeout(120_000)
    url = (await sharedRabbitNode()).url
  })

  it('under load leaves no trace: whatever was on its way to it comes to others as a first attempt', async () => {
    const c = new RabbitCase(scope(), url)
    const broker = await c.open()
    const ids = await Promise.all(Array.from({ length: 3000 }, () => publish(broker)))
    const got: Delivery[] = []

    for (let stop = 1; stop <= 20; stop++) await consumeSome(broker, got, ids.length)
    const rest = await collect(broker)
    await until('all', () => got.length + rest.length >= ids.length)

    expect([...got, ...rest].map(({ id }) => id).toSorted()).to.deep.equal(ids.toSorted())
    expect([...got, ...rest].filter(({ attempt }) => attempt !== 1)).to.deep.equal([])
  })
})
