import type { Link } from '../link/connection.js'
import type { Declarer } from '../topology/declarer.js'
import type { ResolvedRabbitOptions } from '../link/options.js'
import type { Publisher } from '../publish/publisher.js'
import type { Topology } from '../topology/topology.js'
import type { Watches } from '../watch/watch.js'

/** What a consumer works with. */
export interface ConsumerParts {
  readonly link: Link
  readonly publisher: Publisher
  readonly declarer: Declarer
  readonly topology: Topology
  readonly watches: Watches
  readonly options: ResolvedRabbitOptions
  /** Whether others consume over the same connection. */
  readonly hasOthers: () => boolean
}
