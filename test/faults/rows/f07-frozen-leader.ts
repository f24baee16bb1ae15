import { brokerAt, pause, type Row } from '../row.js'

const WORKERS = 2
const CONCURRENCY = 20
const QUEUE = 'faults.q.default'

export const row: Row = {
  id: 'F7',
  title: 'the node with the leader stands still, and goes on later',
  needs: 'cluster',
  async run(context) {
    const cluster = await context.cluster()
    const fleet = context.fleet(brokerAt(cluster.urls))
    await fleet.startWorkers(WORKERS, { worker: { ...fleet.config.worker, concurrency: CONCURRENCY } })
    const server = await fleet.server()
    await fleet.dispatch(server, { count: 1 })
    await fleet.settled()
    await cluster.whole()

    const load = fleet.load(server, { perSecond: context.size(300, 1000) })
    await pause(2000)
    const leader = await cluster.leaderOf(QUEUE)
    const freezeMs = context.size(12_000, 15_000)
    context.step(`${leader.name} stands still`)
    leader.freeze()
    await pause(freezeMs)
    leader.thaw()
    context.step('it goes on')
    await cluster.whole()
    await pause(2000)
    await load.stop()
    const counts = await fleet.drained()

    context.expect(counts.refused === 0, `every call is stored (${counts.refused} were refused)`)
    const mostMs = freezeMs + 8000
    context.expect(counts.longestGapMs <= mostMs, `calls are confirmed again within ${mostMs} ms`)
    const most = WORKERS * CONCURRENCY + 1000
    context.expect(counts.duplicates <= most, `at most ${most} run twice`)
    return counts
  },
}
