import { brokerAt, pause, type Row } from '../row.js'
import { deadLetters } from '../run-row.js'

const SERVERS = 4

export const row: Row = {
  id: 'S1',
  title: `servers with an outbox are killed ${SERVERS - 1} times while they call; the broker is away half of the time`,
  needs: 'rabbitmq',
  async run(context) {
    const node = await context.node()
    const fleet = context.fleet({ ...brokerAt([node.url]), whenBrokerAway: 'spool' })
    await fleet.startWorkers(2)
    const per = context.size({ second: 200, ms: 3000 }, { second: 500, ms: 20_000 })
    for (let number = 1; number < SERVERS; number++) {
      const server = await fleet.server()
      const load = fleet.load(server, { perSecond: per.second, inFlight: 100 })
      if (number === 1) {
        await fleet.confirmsAgain()
        await fleet.settled()
      }
      if (number % 2 === 1) {
        context.step('kill -9 of the broker')
        await node.kill9()
        await pause(per.ms)
        context.step(`kill -9 of server ${server.pid}, with calls in its outbox`)
        await server.kill9()
      } else {
        await pause(per.ms)
        context.step('the broker comes back')
        await node.restart()
        await pause(context.random.between(0, 1500))
        context.step(`kill -9 of server ${server.pid}, which empties the outbox`)
        await server.kill9()
      }
      void load
    }
    await node.restart()
    const last = await fleet.server()
    await fleet.dispatch(last, { count: 200, perSecond: per.second })
    const counts = await fleet.drained()

    const dead = await deadLetters(fleet)
    context.expect(dead === 0, `no dead letters (${dead})`)
    context.expect(counts.refused === 0, `no call is refused (${counts.refused})`)
    return counts
  },
}
