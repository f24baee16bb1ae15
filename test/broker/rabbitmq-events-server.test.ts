import { expect } from 'chai'
import { codeOf, collect, publish, RabbitCase } from '../kit/rabbit-case.js'
import { leaderOf, pauseLeader } from '../kit/rabbit-leader.js'
import { describeRabbit, startRabbitNode, type RabbitNode } from '../kit/rabbitmq.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

describeRabbit(
  'RabbitMQ events: the server',
  function () {
    this.timeout(120_000)
    const scope = eachScope()
    let node: RabbitNode
    before(async function () {
      this.timeout(120_000)
      node = await startRabbitNode()
    })
    after(() => node[Symbol.asyncDispose]())
    const given = (): RabbitCase => new RabbitCase(scope(), node.url)
    const alarm = (change: string): Promise<string> => node.eval(`rabbit_alarm:${change}.`)
    const setAlarm = (): Promise<string> => alarm('set_alarm({{resource_limit, memory, node()}, []})')
    const clearAlarm = (): Promise<string> => alarm('clear_alarm({resource_limit, memory, node()})')

    it('a connection that the server closes in good order (code 320) comes back, for publishing and for consuming', async () => {
      const c = given()
      const broker = await c.open()
      const got = await collect(broker)

      await node.ctl('close_all_connections', 'maintenance')
      const id = await publish(broker)

      await until('the message', () => got.some((delivery) => delivery.id === id))
      expect(c.lines.join('\n')).to.match(/the connection for publishing was lost .*CONNECTION_FORCED/)
    })

    it('a queue without a leader that is consumed (code 541) does not end the consumer, which goes on when there is one', async () => {
      const c = given()
      const proxy = await c.proxy()
      const broker = await c.open({ urls: [proxy.url] })
      const got = await collect(broker)
      await publish(broker)
      await until('the first message', () => got.length === 1)

      await leaderOf(node, 'stop', `${c.namespace}.q.mail`)
      proxy.reset()
      await until('a connection lost over it', () => c.lines.some((line) => /for consuming was lost .*(541|INTERNAL)/.test(line)), 60_000)
      await leaderOf(node, 'start', `${c.namespace}.q.mail`)

      const id = await publish(broker)
      await until('the message', () => got.some((delivery) => delivery.id === id), 60_000)
    })

    it('a queue whose leader moves pauses its publishes for a moment, and nothing else happens', async () => {
      const c = given()
      const proxy = await c.proxy()
      const broker = await c.open({ urls: [proxy.url], confirmTimeoutMs: 120_000 })
      const first = await publish(broker)
      const pause = await pauseLeader(node, `${c.namespace}.q.mail`, { ms: 1000, marker: scope().file('paused') })

      const paused = Array.from({ length: 10 }, () => publish(broker))
      await publish(broker, { queue: 'other' })
      await pause.over
      const ids = [first, ...(await Promise.all(paused))]
      expect(proxy.accepted).to.equal(1)

      const there: string[] = []
      await broker.browse('mail', ({ id }) => {
        there.push(id)
        return { kind: 'keep' }
      })
      expect(new Set(there)).to.deep.equal(new Set(ids))
      // once each, unless the machine was so slow that the pause counted, and was told, as a queue that confirms nothing
      if (!c.lines.some((line) => line.includes('"mail" confirmed nothing'))) expect(there).to.have.length(11)
    })

    it('a server that takes no messages (memory alarm) is told of, answers a ping, and holds up a publish until its deadline', async () => {
      const c = given()
      const broker = await c.open({ confirmTimeoutMs: 3000 })
      await until('a publish that is stored', async () => (await codeOf(publish(broker))) === 'nothing')
      await setAlarm()
      scope().defer(clearAlarm)

      const outcomes = await Promise.all([1, 2].map(() => publish(broker).catch((error: unknown) => error)))
      await broker.ping()
      const later = await publish(broker).catch((error: unknown) => error)

      for (const outcome of outcomes) expect(String(outcome)).to.include('RabbitMQ takes no messages at the moment: low on memory')
      expect(later).to.include({ code: 'BROKER_UNREACHABLE' }).and.to.have.property('message').that.includes('It is not stored')
      expect(c.lines).to.include('RabbitMQ takes no messages at the moment: low on memory.')
      await clearAlarm()
      await until('a publish that is stored', async () => (await codeOf(publish(broker))) === 'nothing')
      expect(c.lines).to.include('RabbitMQ takes messages again.')
      expect(c.lines.filter((line) => line.includes('lost'))).to.deep.equal([])
    })

    it('a server that takes no messages still hands them out, and lets a broker close in good time', async () => {
      const c = given()
      const broker = await c.open()
      await publish(broker)
      await setAlarm()
      scope().defer(clearAlarm)
      const waiting = codeOf(publish(broker))

      const got = await collect(broker)
      await until('the message', () => got.length >= 1)
      await broker.close()

      expect(await waiting).to.equal('BROKER_CLOSED')
    })

    for (const [heartbeatSeconds, what] of [[7, 'asks for the heartbeat that was set'], [0, 'has no heartbeat where none is wanted']] as const) {
      it(`a connection ${what}, and leaves the size of frames to the server`, async () => {
        const broker = await given().open({ heartbeatSeconds })
        await publish(broker)

        const known = await until('the connections before it to be gone', async () => {
          const all = await node.eval('[{I} || I <- rabbit_networking:connection_info_all([timeout, frame_max])].')
          return all.split('}]}').length === 2 && all
        })

        expect(known.replace(/\s/g, '')).to.equal(`[{[{timeout,${heartbeatSeconds}},{frame_max,131072}]}]`)
      })
    }

    it('a connection with many queues in use reuses its channels', async () => {
      const c = given()
      const broker = await c.open({ queueType: 'classic' })

      const queues = Array.from({ length: 80 }, (_, number) => `q${number}`)
      await Promise.all(queues.flatMap((queue) => Array.from({ length: 40 }, () => publish(broker, { queue }))))

      expect(Number(await node.eval('length(rabbit_channel:list()).'))).to.be.below(70)
      for (const queue of queues) expect(await broker.count(queue)).to.deep.equal({ waiting: 40, dead: 0 })
    })
  },
  { own: true },
)
