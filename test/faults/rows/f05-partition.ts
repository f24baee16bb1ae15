import { nodeOf } from '../nodes.js'
import { brokerAt, pause, type Row } from '../row.js'

/** Two silent spells of five seconds and the election of a leader; the rest is for a machine that has other things to do. */
const MOST_GAP_MS = 30_000
const CONCURRENCY = 20

export const row: Row = {
  id: 'F5',
  title: 'the node of the server is parted from the other two; clients still reach all three',
  needs: 'partitions',
  async run(context) {
    const cluster = await context.cluster({ partitions: true })
    const fleet = context.fleet(brokerAt(cluster.urls))
    await fleet.startWorkers(2, { worker: { ...fleet.config.worker, concurrency: CONCURRENCY } })
    const server = await fleet.server()
    await fleet.dispatch(server, { count: 1 })
    await fleet.settled()
    await cluster.whole()

    const load = fleet.load(server, { perSecond: context.size(300, 1000) })
    await pause(2000)
    const node = nodeOf(server.pid, cluster)
    context.step(`${node.name} is parted`)
    await node.part()
    await pause(context.size(12_000, 20_000))
    context.step('healed')
    await node.heal()
    await cluster.whole()
    context.step('all members are online again')
    await pause(2000)
    await load.stop()
    const counts = await fleet.drained()

    context.expect(counts.refused === 0, `every call is stored (${counts.refused} were refused)`)
    context.expect(counts.longestGapMs <= MOST_GAP_MS, `calls are confirmed again within ${MOST_GAP_MS} ms`)
    return counts
  },
}
