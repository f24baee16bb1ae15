import { pause, type Row } from '../row.js'
import { deadLetters } from '../run-row.js'

export const row: Row = {
  id: 'E2',
  title: 'embedded queue: servers are killed while they call, two at a time',
  isBrief: true,
  needs: 'nothing',
  async run(context) {
    const fleet = context.fleet({ broker: 'sqlite' })
    await fleet.startWorkers(1)
    const rounds = context.size(4, 20)
    for (let round = 1; round <= rounds; round++) {
      const servers = await Promise.all([fleet.server(), fleet.server()])
      for (const server of servers) void fleet.dispatch(server, { count: 100_000, perSecond: 300, inFlight: 200, delaysMs: [0, 0, 500] })
      await fleet.confirmsAgain()
      await pause(context.random.between(300, context.size(1500, 5000)))
      for (const server of servers) {
        context.step(`kill -9 of server ${server.pid}`)
        await server.kill9()
      }
    }
    const last = await fleet.server()
    await fleet.dispatch(last, { count: 200 })
    const counts = await fleet.drained()

    context.expect(counts.duplicates === 0, `nothing runs twice: no worker died (${counts.duplicates})`)
    context.expect(counts.refused === 0, `every call is stored (${counts.refused} were refused)`)
    const dead = await deadLetters(fleet)
    context.expect(dead === 0, `no dead letters (${dead})`)
    context.note(`${2 * rounds} kills; ${counts.dispatched - counts.confirmed} calls were cut off and had no answer`)
    return counts
  },
}
