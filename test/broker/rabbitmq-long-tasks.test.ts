import { expect } from 'chai'
import type { Delivery, Verdict } from '#src/broker/broker.js'
import { collect, DONE, hold, publish } from '../kit/rabbit-case.js'
import { LONG, LongCase, startImpatientNode } from '../kit/rabbit-long-case.js'
import { describeRabbit, type RabbitNode } from '../kit/rabbitmq.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

const runOf = ({ id, attempt, crashes }: Delivery): unknown => ({ id, attempt, crashes })

describeRabbit(
  'A task that takes longer than RabbitMQ waits for its acknowledgement',
  function () {
    this.timeout(300_000)
    const scope = eachScope()
    let node: RabbitNode
    before(async function () {
      this.timeout(120_000)
      node = await startImpatientNode()
    })
    after(() => node[Symbol.asyncDispose]())
    const given = (): LongCase => new LongCase(scope(), node)

    it('runs once, is settled once, and leaves nothing behind on the server', async () => {
      const c = given()
      const { broker, held } = await c.runner()
      const id = await publish(broker)
      await until('the delivery', () => held.length === 1)

      await c.serverTimeout()
      await c.serverTimeout()
      const lost = held[0]?.delivery.lost?.aborted
      held[0]?.settle(DONE)
      await c.cleared()

      expect(held.map(({ delivery }) => runOf(delivery))).to.deep.equal([{ id, attempt: 1, crashes: 0 }])
      expect(lost).to.equal(false)
      expect(await broker.count('mail')).to.deep.equal({ waiting: 0, dead: 0 })
      await publish(broker)
      await until('the next message', () => held.length === 2)
      await broker.close()
      expect(c.lines.join('\n')).not.to.match(/timed out/)
    })

    it('keeps its place: nothing more than the concurrency runs, and what waits goes to another process', async () => {
      const c = given()
      const { broker, held } = await c.runner({}, 1)
      await publish(broker)
      await until('the delivery', () => held.length === 1)
      await c.onWatch()
      const second = await publish(broker)

      const others = await collect(await c.open())
      await until('the second message', () => others.some(({ id }) => id === second))
      held[0]?.settle(DONE)

      expect(held).to.have.length(1)
      await until('places again', async () => {
        await publish(broker)
        return held.length > 1
      })
    })

    it('holds up nothing that was sent with it: what has no place goes to another process, uncounted', async () => {
      const c = given()
      const { broker, held } = await c.runner({}, 3)
      await Promise.all(Array.from({ length: 9 }, () => publish(broker)))
      await until('the deliveries', () => held.length === 3)
      await c.onWatch(3)

      const others = await collect(await c.open())
      await until('the other messages', () => others.length === 6)
      for (const { settle } of held) settle(DONE)
      await until('the end', async () => (await broker.count('mail')).waiting === 0)

      expect(held).to.have.length(3)
      expect(new Set([...others, ...held.map(({ delivery }) => delivery)].map(({ id }) => id)).size).to.equal(9)
      expect(others.every(({ attempt, crashes }) => attempt === 1 && crashes === 0)).to.equal(true)
    })

    it('comes again, or becomes a dead letter, exactly once, as its verdict says', async () => {
      const c = given()
      const { broker, held } = await c.runner()
      const ids = await Promise.all(Array.from({ length: 4 }, () => publish(broker)))
      await until('the deliveries', () => held.length === 4)
      await c.onWatch(4)
      const verdicts = new Map<string | undefined, Verdict>([
        [ids[0], { kind: 'again', delayMs: 0, note: 'once more' }],
        [ids[1], { kind: 'later', delayMs: 0 }],
        [ids[2], { kind: 'release' }],
        [ids[3], { kind: 'dead', note: 'enough' }],
      ])

      for (const { delivery, settle } of held.splice(0)) settle(verdicts.get(delivery.id) ?? DONE)
      await until('the next runs', () => held.length === 3)
      const next = held.map(({ delivery: { id, attempt, crashes, note } }) => [ids.indexOf(id), attempt, crashes, note])
      for (const { settle } of held) settle(DONE)
      await c.cleared()

      expect(next.toSorted(([a], [b]) => Number(a) - Number(b))).to.deep.equal([
        [0, 2, 0, 'once more'],
        [1, 1, 0, undefined],
        [2, 1, 0, undefined],
      ])
      expect(held).to.have.length(3)
      expect(await broker.count('mail')).to.deep.equal({ waiting: 0, dead: 1 })
    })

    it('runs again, as an attempt that a crash ended, when its process is killed', async () => {
      const c = given()
      const publisher = await c.open(LONG)
      const id = await publish(publisher)
      const kill = await c.victim()
      await c.onWatch()
      const got = await collect(publisher)

      kill()

      await until('the second run', () => got.length === 1, 60_000)
      expect(got.map(runOf)).to.deep.equal([{ id, attempt: 2, crashes: 1 }])
    })

    it('runs again when its handler breaks', async () => {
      const c = given()
      const broker = await c.open(LONG)
      const runs: unknown[] = []
      let fail: (error: unknown) => void = () => {}
      await broker.consume('mail', { concurrency: 1 }, (delivery) => {
        runs.push(runOf(delivery))
        return runs.length > 1 ? Promise.resolve(DONE) : new Promise((_, reject) => (fail = reject))
      })
      const id = await publish(broker)
      await until('the delivery', () => runs.length === 1)
      await c.onWatch()

      fail(new Error('a defect'))

      await until('the second run', () => runs.length === 2, 60_000)
      expect(runs[1]).to.deep.equal({ id, attempt: 2, crashes: 1 })
    })

    it('goes on as the only run when its connection is cut and comes back', async () => {
      const c = given()
      const proxy = await c.proxy()
      const { held } = await c.runner({ urls: [proxy.url] })
      const other = await c.open(LONG)
      const others = await collect(other)
      // the other one is not to have it in the first place, and nothing is to be on its way when the connection goes
      for (let sent = 1; held.length === 0; sent++) {
        await publish(other)
        await until('the delivery to either', () => held.length + others.length === sent)
      }
      await c.onWatch()
      const before = others.length

      proxy.reset()
      await c.delayed(other, 8000)
      const isLost = held.some(({ delivery }) => delivery.lost?.aborted)
      for (const { settle } of held) settle(DONE)
      await c.cleared()

      expect(isLost).to.equal(false)
      expect(others).to.have.length(before)
    })

    it('that another process took over is told so, and its verdict has no effect', async () => {
      const c = given()
      const proxy = await c.proxy()
      const { held } = await c.runner({ urls: [proxy.url] })
      const other = await c.open(LONG)
      const id = await publish(other)
      await until('the delivery', () => held.length === 1)
      await c.onWatch()
      const others = await hold(other)

      proxy.mode = 'silent'
      proxy.freeze()
      await until('the run of the other', () => others.length === 1, 60_000)
      proxy.mode = 'pass'
      await until('the word to the first', () => held[0]?.delivery.lost?.aborted === true, 60_000)
      held[0]?.settle({ kind: 'again', delayMs: 0 })
      others[0]?.settle(DONE)
      await until('the end of both', async () => (await c.markers('run')).length === 0)
      await c.delayed(other, 2000)

      expect(others.map(({ delivery }) => runOf(delivery))).to.deep.equal([{ id, attempt: 2, crashes: 1 }])
      expect(held).to.have.length(1)
      expect(await other.count('mail')).to.deep.equal({ waiting: 0, dead: 0 })
    })

    it('runs once, whenever it ends: before, while, or after it is put on watch or looked for', async () => {
      const c = given()
      await c.bePatient()
      const options = { ackTimeoutMs: 1000, heartbeatSeconds: 1 }
      const [first, second] = [await c.open(options), await c.open(options)]
      const runs: string[] = []
      for (const broker of [first, second]) {
        await broker.consume('mail', { concurrency: 40 }, async ({ id }) => {
          runs.push(id)
          await new Promise((resolve) => setTimeout(resolve, 150 + (runs.length % 40) * 30))
          return DONE
        })
      }

      const ids = await Promise.all(Array.from({ length: 80 }, () => publish(first)))
      await until('all runs', () => new Set(runs).size === 80)
      await c.cleared()

      expect(runs.toSorted()).to.deep.equal(ids.toSorted())
    })

    it('goes on as the only run when the server is started anew', async () => {
      const c = given()
      const { broker, held } = await c.runner()
      await publish(broker)
      await until('the delivery', () => held.length === 1)
      await c.onWatch()

      await node.restart()
      await c.onWatch()
      await c.delayed(broker, 5000)
      const isLost = held[0]?.delivery.lost?.aborted
      held[0]?.settle(DONE)
      await c.cleared()

      expect(isLost).to.equal(false)
      expect(held).to.have.length(1)
    })
  },
  { own: true },
)
