import { hold, RabbitCase } from '../../kit/rabbit-case.js'
import { until } from '../../kit/until.js'
import { Ledger } from '../ledger.js'
import type { Row } from '../row.js'

const RUNS = 100

export const row: Row = {
  id: 'F13',
  title: `the connection is lost while ${RUNS} bodies run, and all of them end afterwards`,
  isBrief: true,
  needs: 'rabbitmq',
  async run(context) {
    const node = await context.node()
    const c = new RabbitCase(context.scope, node.url)
    const ledger = new Ledger()
    const publisher = await c.open()
    await Promise.all(Array.from({ length: RUNS }, () => ledger.publish(publisher)))
    const proxy = await c.proxy()
    const consumer = await c.open({ urls: [proxy.url] })
    const held = await hold(consumer, RUNS)
    await until('all deliveries', () => held.length === RUNS)

    const rounds = context.size(5, 50)
    for (let round = 1; round <= rounds; round++) {
      context.step(`reset ${round}`)
      proxy.reset()
      await until('the word that the messages are gone', () => held.every(({ delivery }) => delivery.lost?.aborted === true))
      // the tags of these are those of other messages on the next channel
      const ended = context.random.next() < 0.5 ? held.splice(0) : held.splice(0).toReversed()
      for (const { settle } of ended) settle({ kind: 'done' })
      await until('all deliveries again', () => held.length === RUNS)
    }
    await consumer.close()
    const back = await hold(publisher, RUNS)
    await until('all of them once more', () => back.length >= RUNS)
    for (const { delivery, settle } of back) {
      ledger.ran(delivery)
      settle({ kind: 'done' })
    }
    await until('an empty queue', async () => (await publisher.count('mail')).waiting === 0)

    const called = ledger.calls().filter(({ kind }) => kind === 'called').map(({ id }) => id)
    const same = ledger.runs().map(({ id }) => id).toSorted().join() === called.toSorted().join()
    context.expect(same, 'the messages that are left are exactly those that were sent: none was acknowledged by another one')
    const stale = c.lines.filter((line) => line.includes('it has no effect')).length
    context.expect(stale === rounds * RUNS, `each late verdict is counted (${stale} of ${rounds * RUNS})`)
    context.note(`${stale} late verdicts in ${rounds} losses`)
    return ledger.counts()
  },
}
