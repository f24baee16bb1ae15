import type { ClusterNode, RabbitCluster } from '../../kit/rabbit-cluster.js'
import type { Fleet } from '../fleet.js'
import { brokerAt, pause, seconds, type Row, type RowContext } from '../row.js'
import { connectedTo } from '../sockets.js'

const KILLS = 2
const CONCURRENCY = 20

export const row: Row = {
  id: 'F3',
  title: `the node that the server or the worker is connected to is killed ${KILLS} times`,
  needs: 'cluster',
  async run(context) {
    const cluster = await context.cluster()
    const fleet = context.fleet(brokerAt(cluster.urls))
    await fleet.startWorkers(1, { worker: { ...fleet.config.worker, concurrency: CONCURRENCY } })
    const server = await fleet.server()
    await fleet.dispatch(server, { count: 1 })
    await fleet.settled()

    const load = fleet.load(server, { perSecond: context.size(300, 1000) })
    for (let kill = 1; kill <= KILLS; kill++) {
      await cluster.whole()
      await killNodeOf(kill % 2 === 1 ? 'server' : 'worker', cluster, fleet, context)
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

async function killNodeOf(whose: 'server' | 'worker', cluster: RabbitCluster, fleet: Fleet, context: RowContext): Promise<void> {
  const pid = (whose === 'server' ? fleet.servers[0]?.pid : fleet.workers[0]?.pid) ?? 0
  const node = nodeOf(pid, cluster)
  context.expect(node !== undefined, `the ${whose} is connected to one of the nodes`)
  if (node === undefined) return
  context.step(`kill -9 of ${node.name}, the node of the ${whose}`)
  await node.kill9()
  await pause(context.random.between(1000, 2500))
  await node.restart()
}

function nodeOf(pid: number, cluster: RabbitCluster): ClusterNode | undefined {
  const peers = connectedTo(pid)
  return cluster.nodes.find(({ url }) => peers.has(`${new URL(url).hostname}:${new URL(url).port}`))
}
