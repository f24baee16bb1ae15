import { killWorkersDuring } from '../kills.js'
import { brokerAt, pause, type Row } from '../row.js'
import { deadLetters } from '../run-row.js'

const KILLS = 3

export const row: Row = {
  id: 'headline',
  title: `RabbitMQ: the broker is killed ${KILLS} times, workers at random`,
  needs: 'rabbitmq',
  async run(context) {
    const node = await context.node()
    const fleet = context.fleet(brokerAt([node.url]))
    await fleet.startWorkers(2)
    const server = await fleet.server()
    await fleet.dispatch(server, { count: 1 })
    await fleet.settled()

    const count = context.size(5000, 50_000)
    const first = fleet.dispatch(server, { count: count / 2, perSecond: context.size(300, 1000), inFlight: 20_000 })
    const load = fleet.load(server, { perSecond: context.size(100, 500), inFlight: 20_000 })
    let isOver = false
    const brokerKills = async (): Promise<void> => {
      for (let kill = 1; kill <= KILLS; kill++) {
        await pause(context.random.between(1500, 3000))
        context.step(`kill -9 of the broker, ${kill}`)
        await node.kill9()
        await node.restart()
        await fleet.confirmsAgain()
      }
      isOver = true
    }
    const [kills] = await Promise.all([killWorkersDuring(fleet, context, () => !isOver), brokerKills()])
    await first
    await load.stop()
    const missing = count - fleet.counts().dispatched
    if (missing > 0) await fleet.dispatch(server, { count: missing })
    const counts = await fleet.drained()

    context.expect(counts.refused === 0, `every call is stored (${counts.refused} were refused)`)
    const dead = await deadLetters(fleet)
    context.expect(dead === 0, `no dead letters (${dead})`)
    context.note(`${KILLS} kills of the broker, ${kills} of workers`)
    return counts
  },
}
