import type { ClusterNode, RabbitCluster } from '../kit/rabbit-cluster.js'
import { connectedTo } from './sockets.js'

/** The node that a process is connected to. @throws Error when there is none */
export function nodeOf(pid: number, cluster: RabbitCluster): ClusterNode {
  const peers = connectedTo(pid)
  const node = cluster.nodes.find(({ url }) => peers.has(`${new URL(url).hostname}:${new URL(url).port}`))
  if (node === undefined) throw new Error(`process ${pid} is connected to none of the nodes, but to ${[...peers].join(', ') || 'nothing'}`)
  return node
}
