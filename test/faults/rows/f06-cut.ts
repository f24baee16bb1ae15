import { nodeOf } from '../nodes.js'
import { brokerAt, pause, type Row } from '../row.js'

const HEARTBEAT_SECONDS = 4

/** Three silent heartbeats, the way to another node, the election of a leader; and a machine that has other things to do. */
const MOST_GAP_MS = (3 * HEARTBEAT_SECONDS + 18) * 1000

export const row: Row = {
  id: 'F6',
  title: 'the node of the server is cut off the network; its connections hang half open',
  needs: 'partitions',
  async run(context) {
    const cluster = await context.cluster({ partitions: true })
    const fleet = context.fleet(brokerAt(cluster.urls, { heartbeat: `${HEARTBEAT_SECONDS}s` }))
    await fleet.startWorkers(2)
    const server = await fleet.server()
    await fleet.dispatch(server, { count: 1 })
    await fleet.settled()
    await cluster.whole()

    const load = fleet.load(server, { perSecond: context.size(300, 1000) })
    await pause(2000)
    const node = nodeOf(server.pid, cluster)
    context.step(`${node.name} is cut off`)
    await node.cut()
    await pause(context.size(15_000, 20_000))
    context.step('it is back')
    await node.join()
    await cluster.whole()
    await pause(2000)
    await load.stop()
    const counts = await fleet.drained()

    context.expect(counts.refused === 0, `every call is stored (${counts.refused} were refused)`)
    context.expect(counts.longestGapMs <= MOST_GAP_MS, `calls are confirmed again within ${MOST_GAP_MS} ms`)
    return counts
  },
}
