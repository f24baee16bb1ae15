import { expect } from 'chai'
import { systemClock, type Clock } from '#src/core/clock.js'
import { RabbitCase } from '../kit/rabbit-case.js'
import { describeRabbit, sharedRabbitNode } from '../kit/rabbitmq.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

describeRabbit('A RabbitMQ server that is away', function () {
  this.timeout(120_000)
  const scope = eachScope()
  let url = ''
  before(async function () {
    this.timeout(120_000)
    url = (await sharedRabbitNode()).url
  })

  it('is told of at once, not again at each attempt, and when it is back', async () => {
    const c = new RabbitCase(scope(), url)
    const proxy = await c.proxy()
    proxy.mode = 'silent'
    let now = 0
    const clock: Clock = { now: () => now, after: systemClock.after }
    const told = (words: string): string[] => c.lines.filter((line) => line.includes(words))

    await c.open({ urls: [proxy.url], waitForConnection: false, connectTimeoutMs: 500, clock })
    await until('some attempts', () => proxy.accepted >= 4)
    expect(told('cannot be reached')).to.have.length(1)

    now = 2000
    await until('the word that it is still away', () => told('cannot be reached').length > 1)
    expect(told('cannot be reached')[1]).to.match(/, \d+ attempts until now in 2 s\.$/)

    proxy.mode = 'pass'
    await until('the word that it is there', () => told('connected for publishing').length > 0)
    expect(told('connected for publishing')[0]).to.match(/, after \d+ attempts in vain in 2 s\.$/)
  })
})
