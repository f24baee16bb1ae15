import { killWorkersDuring } from '../kills.js'
import { pause, type Row } from '../row.js'
import { deadLetters } from '../run-row.js'

const SERVERS = 4

export const row: Row = {
  id: 'headline-embedded',
  title: `embedded queue: servers are killed ${SERVERS - 1} times while they call, workers at random`,
  needs: 'nothing',
  async run(context) {
    const fleet = context.fleet({ broker: 'sqlite' })
    await fleet.startWorkers(2)
    let isOver = false
    const serverKills = async (): Promise<void> => {
      for (let number = 1; number <= SERVERS; number++) {
        const server = await fleet.server()
        const isLast = number === SERVERS
        const total = context.size(5000, 50_000)
        // the last one makes up for the calls of those that were killed
        const count = isLast ? total - fleet.counts().dispatched : total / SERVERS
        const sent = fleet.dispatch(server, { count, perSecond: context.size(600, 1500), inFlight: 200 })
        if (isLast) await sent
        else {
          await pause(context.random.between(800, context.size(2000, 8000)))
          context.step(`kill -9 of server ${server.pid}`)
          await server.kill9()
        }
      }
      isOver = true
    }
    const [kills] = await Promise.all([killWorkersDuring(fleet, context, () => !isOver), serverKills()])
    const counts = await fleet.drained()

    const dead = await deadLetters(fleet)
    context.expect(dead === 0, `no dead letters (${dead})`)
    context.note(`${SERVERS - 1} kills of servers, ${kills} of workers`)
    return counts
  },
}
