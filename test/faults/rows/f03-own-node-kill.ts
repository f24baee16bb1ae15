import { nodeOf } from '../nodes.js'
import { brokerAt, pause, seconds, type Row } from '../row.js'

const KILLS = 2
const CONCURRENCY = 20

export const row: Row = {
  id: 'F3',
  title: 'the node of the server is killed, then that of the worker',
  isBrief: true,
  needs: 'cluster',
  async run(context) {
    const cluster = await context.cluster()
    const fleet = context.fleet(brokerAt(cluster.urls))
    await fleet.startWorkers(1, { worker: { ...fleet.config.worker, concurrency: CONCURRENCY } })
    const server = await fleet.server()
    await fleet.dispatch(server, { count: 1 })
    await fleet.settled()

    const load = fleet.load(server, { perSecond: context.size(300, 1000) })
    for (const [whose, pid] of [['server', server.pid], ['worker', fleet.workers[0]?.pid ?? 0]] as const) {
      await cluster.whole()
      const node = nodeOf(pid, cluster)
      context.step(`kill -9 of ${node.name}, the node of the ${whose}`)
      await node.kill9()
      await pause(context.random.between(1000, 2500))
      await node.restart()
    }
    await pause(2000)
    await load.stop()
    const counts = await fleet.drained()

    context.expect(counts.refused === 0, `every call is stored (${counts.refused} were refused)`)
    const most = KILLS * (CONCURRENCY + 1000)
    context.expect(counts.duplicates <= most, `at most ${most} run twice`)
    context.note(`longest wait for a confirm ${seconds(counts.longestGapMs)}`)
    return counts
  },
}
