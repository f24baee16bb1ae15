import { AsyncLocalStorage } from 'node:async_hooks'
import { expect } from 'chai'
import { systemClock, type Clock } from '#src/core/clock.js'
import { openRabbitBroker } from '#src/broker/rabbitmq/broker.js'
import { Session } from '#src/broker/rabbitmq/link/session.js'
import { freePort } from '../kit/free-port.js'
import { codeOf, collect, DONE, hold, keptLog, publish, RabbitCase } from '../kit/rabbit-case.js'
import { describeRabbit, sharedRabbitNode } from '../kit/rabbitmq.js'
import { eachScope, type Scope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

describeRabbit('RabbitMQ connections', function () {
  this.timeout(120_000)
  const scope = eachScope()
  let url = ''
  before(async function () {
    this.timeout(120_000)
    url = (await sharedRabbitNode()).url
  })
  const given = (): RabbitCase => new RabbitCase(scope(), url)

  it('to a server that is not there fail after the time given, and show no password', async () => {
    const urls = [`amqp://ada:secret@127.0.0.1:${await freePort()}`]

    const failure = await openRabbitBroker({ urls, namespace: 'shop', connectTimeoutMs: 300 }).catch((error: unknown) => error)

    expect(failure).to.include({ code: 'BROKER_UNREACHABLE' }).and.to.have.property('message').that.includes('ada:***@')
    expect(String(failure)).not.to.include('secret')
  })

  it('to a server that is not there are told of at the first failure, and fail with the time that really passed', async () => {
    const urls = [`amqp://ada:secret@127.0.0.1:${await freePort()}`]
    const { log, lines } = keptLog()
    // the first attempt takes longer than there was time for
    let now = 0
    const clock: Clock = { now: () => now, after: systemClock.after }
    const warn = (line: string): void => {
      lines.push(line)
      now = 2000
    }

    const opening = openRabbitBroker({ urls, namespace: 'shop', connectTimeoutMs: 1500, clock, log: { ...log, warn } })
    const failure = await opening.catch((error: unknown) => error)

    expect(lines[0]).to.match(/^RabbitMQ: amqp:\/\/ada:\*\*\*@127\.0\.0\.1:\d+ cannot be reached for \w+ \(.*ECONNREFUSED/)
    expect(String(failure)).to.match(/no connection after 2000 ms \(last failure: .*ECONNREFUSED/)
  })

  it('close in good time while they stand, hang, or are being made again', async () => {
    for (const trouble of ['none', 'frozen', 'silent'] as const) {
      const c = given()
      const proxy = await c.proxy()
      const broker = await c.open({ urls: [proxy.url], heartbeatSeconds: 60 })
      await hold(broker)
      await publish(broker)
      if (trouble === 'frozen') proxy.freeze()
      if (trouble === 'silent') {
        const before = proxy.accepted
        proxy.mode = 'silent'
        proxy.reset()
        await until('an attempt to connect', () => proxy.accepted > before)
      }
      const publishing = codeOf(publish(broker))

      await broker.close()

      expect(await publishing).to.be.oneOf(trouble === 'none' ? ['nothing'] : ['BROKER_CLOSED'])
      await until('no connection left', () => trouble === 'frozen' || proxy.open === 0)
    }
  })

  it('are given up when they are asked for a sign of life and none comes, and stay when one does', async () => {
    const c = given()
    const proxy = await c.proxy()
    const sessions = publishingSessions(scope())
    await publish(await c.open({ urls: [proxy.url], heartbeatSeconds: 60 }))
    const [session] = sessions

    await session?.expectLife(30_000)
    expect(session?.isUp).to.equal(true)
    proxy.freeze()
    await session?.expectLife(200)
    expect(session?.isUp).to.equal(false)
  })

  it('that swallow everything are asked for a sign of life while they are closed, so that one wait is enough', async () => {
    const c = given()
    const proxy = await c.proxy()
    const broker = await c.open({ urls: [proxy.url], heartbeatSeconds: 60 })
    await hold(broker)
    const asked = new Set<Session>()
    const original = Session.prototype.expectLife
    Session.prototype.expectLife = function (ms) {
      asked.add(this)
      return original.call(this, ms)
    }
    scope().defer(() => (Session.prototype.expectLife = original))
    proxy.freeze()

    await broker.close()

    expect(asked.size).to.equal(2)
    expect([...asked].map(({ isUp }) => isUp)).to.deep.equal([false, false])
  })

  it('opened inside a request carry nothing of that request into the handlers', async () => {
    const c = given()
    const proxy = await c.proxy()
    const requests = new AsyncLocalStorage<string>()
    const seen: unknown[] = []

    const broker = await requests.run('a request', async () => {
      const opened = await c.open({ urls: [proxy.url] })
      await publish(opened)
      await opened.consume('mail', { concurrency: 1 }, async () => {
        seen.push(requests.getStore())
        return DONE
      })
      return opened
    })
    await until('the first delivery', () => seen.length === 1)
    proxy.reset()
    await requests.run('another', () => publish(broker))

    // the first message comes once more when the reset overtook its acknowledgement
    await until('the second message', () => seen.length >= 2)
    expect(new Set(seen)).to.deep.equal(new Set([undefined]))
  })

  it('that nobody uses any more leave the process free to end', async () => {
    const c = given()
    const proxy = await c.proxy()
    const broker = await c.open({ urls: [proxy.url] })
    await collect(broker)

    await broker.close()

    await until('no socket left', () => proxy.open === 0)
    expect(await codeOf(broker.ping())).to.equal('BROKER_CLOSED')
  })
})

/** The connections on which a channel for publishing is opened from now on. */
function publishingSessions(scope: Scope): Session[] {
  const sessions: Session[] = []
  const original = Session.prototype.confirmChannel
  Session.prototype.confirmChannel = function () {
    sessions.push(this)
    return original.call(this)
  }
  scope.defer(() => (Session.prototype.confirmChannel = original))
  return sessions
}
