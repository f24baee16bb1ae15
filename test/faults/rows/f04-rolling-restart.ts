import { brokerAt, pause, seconds, type Row } from '../row.js'

const WORKERS = 2
const CONCURRENCY = 20

export const row: Row = {
  id: 'F4',
  title: 'every node is stopped in good order and started again, one after the other',
  needs: 'cluster',
  async run(context) {
    const cluster = await context.cluster()
    const fleet = context.fleet(brokerAt(cluster.urls))
    await fleet.startWorkers(WORKERS, { worker: { ...fleet.config.worker, concurrency: CONCURRENCY } })
    const server = await fleet.server()
    await fleet.dispatch(server, { count: 1 })
    await fleet.settled()

    const load = fleet.load(server, { perSecond: context.size(300, 1000) })
    for (const node of cluster.nodes) {
      await cluster.whole()
      context.step(`restart of ${node.name}`)
      await node.restart()
    }
    await pause(2000)
    await load.stop()
    const counts = await fleet.drained()

    context.expect(counts.refused === 0, `every call is stored (${counts.refused} were refused)`)
    const most = cluster.nodes.length * (WORKERS * CONCURRENCY + 1000)
    context.expect(counts.duplicates <= most, `at most ${most} run twice`)
    context.note(`longest wait for a confirm ${seconds(counts.longestGapMs)}`)
    return counts
  },
}
