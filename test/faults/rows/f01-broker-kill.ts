import { brokerAt, pause, type Row } from '../row.js'

const WORKERS = 2
const CONCURRENCY = 20
const WINDOW = 1000
const KILLS = 3

export const row: Row = {
  id: 'F1',
  title: `the only broker is killed ${KILLS} times under load`,
  isBrief: true,
  needs: 'rabbitmq',
  async run(context) {
    const node = await context.node()
    // the worker set is the server's own, as most applications have it
    const fleet = context.fleet({ ...brokerAt([node.url]), worker: { spawn: true, processes: WORKERS, concurrency: CONCURRENCY } })
    const server = await fleet.server()
    await fleet.dispatch(server, { count: 1 })
    await fleet.settled()

    const load = fleet.load(server, { perSecond: context.size(500, 2500), inFlight: 20_000 })
    for (let kill = 1; kill <= KILLS; kill++) {
      await pause(context.random.between(1000, 2500))
      context.step(`kill -9 of the broker, ${kill}`)
      await node.kill9()
      await pause(context.random.between(0, 1500))
      await node.restart()
      context.step('it answers again')
      await fleet.confirmsAgain()
    }
    await load.stop()
    const missing = context.size(5000, 50_000) - fleet.counts().dispatched
    if (missing > 0) await fleet.dispatch(server, { count: missing })
    const counts = await fleet.drained()

    context.expect(counts.refused === 0, `every call is stored, however long the broker was away (${counts.refused} were refused)`)
    const most = KILLS * (WORKERS * CONCURRENCY + WINDOW)
    context.expect(counts.duplicates <= most, `at most ${most} run twice`)
    context.note(`at most ${server.mostMb} MB in the server`)
    return counts
  },
}
