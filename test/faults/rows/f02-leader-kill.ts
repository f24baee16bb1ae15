import { brokerAt, pause, seconds, type Row } from '../row.js'

const WORKERS = 2
const CONCURRENCY = 20
const KILLS = 3
const QUEUE = 'faults.q.default'

export const row: Row = {
  id: 'F2',
  title: `the node with the leader of the queue is killed ${KILLS} times`,
  needs: 'cluster',
  async run(context) {
    const cluster = await context.cluster()
    const fleet = context.fleet(brokerAt(cluster.urls))
    await fleet.startWorkers(WORKERS, { worker: { ...fleet.config.worker, concurrency: CONCURRENCY } })
    const server = await fleet.server()
    await fleet.dispatch(server, { count: 1 })
    await fleet.settled()

    const load = fleet.load(server, { perSecond: context.size(300, 1000) })
    for (let kill = 1; kill <= KILLS; kill++) {
      await cluster.whole()
      const leader = await cluster.leaderOf(QUEUE)
      context.step(`kill -9 of ${leader.name}, the leader, ${kill}`)
      await leader.kill9()
      await pause(context.random.between(1000, 3000))
      await leader.restart()
    }
    await pause(2000)
    await load.stop()
    const counts = await fleet.drained()

    context.expect(counts.refused === 0, `every call is stored (${counts.refused} were refused)`)
    const most = KILLS * WORKERS * CONCURRENCY + KILLS * 1000
    context.expect(counts.duplicates <= most, `at most ${most} run twice`)
    context.note(`longest wait for a confirm ${seconds(counts.longestGapMs)}`)
    return counts
  },
}
