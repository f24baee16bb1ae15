import { expect } from 'chai'
import { poison } from '../contract/poison.js'
import { rollOver } from '../contract/roll-over.js'
import { LaneApp } from '../kit/lane-app.js'
import { describeRabbit, freshNamespace, sharedRabbitNode } from '../kit/rabbitmq.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

const onRabbit = async () => ({ service: freshNamespace(), broker: (await sharedRabbitNode()).url })

describeRabbit('With RabbitMQ', function () {
  this.timeout(120_000)
  const scope = eachScope()
  before('a server', async () => {
    await sharedRabbitNode()
  })

  poison('RabbitMQ', onRabbit)
  rollOver('RabbitMQ', onRabbit)

  it('a body that never yields in a thread holds up neither its neighbours nor the connection of its worker', async () => {
    const { url } = await sharedRabbitNode()
    const app = new LaneApp(scope(), { service: freshNamespace(), broker: { url, heartbeat: '3s' } })
    const worker = await app.worker()
    await app.call('spinUntil.thread', app.gate)
    await app.done('spins')
    const since = Date.now()

    for (let index = 1; index <= 20; index++) {
      await app.call('brief', 1)
      await app.done('done', index)
    }
    // the server ends a connection that was silent for three heartbeats
    await until('the time that no connection bears', () => Date.now() - since > 10_000)
    app.open()
    const deeds = await app.done('has spun')

    expect(deeds.map(({ attempt }) => attempt)).to.deep.equal(deeds.map(() => 1))
    expect(deeds.map(({ text }) => text)).to.deep.equal(['spins', ...Array.from({ length: 20 }, () => 'done'), 'has spun'])
    expect(worker.output).not.to.match(/lost|blocked/)
  })

  it('a body that blocks its worker for longer than the connection bears is named in one warning', async () => {
    const { url } = await sharedRabbitNode()
    const app = new LaneApp(scope(), { service: freshNamespace(), broker: { url, heartbeat: '1s' } })
    const worker = await app.worker()

    await app.call('spinFor.inline', 3_500)
    await worker.line(/event loop of the worker was blocked for \d\.\d s: .*Running then: spinFor\.inline\. .*isolation: 'thread'/)
    await app.call('brief', 1)
    await app.done('done')

    expect(worker.lines.filter((line) => /event loop/.test(line))).to.have.length(1)
  })
})
