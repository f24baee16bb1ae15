import type { Link } from './connection.js'
import type { Declarer } from './declarer.js'
import type { ResolvedRabbitOptions } from './options.js'
import type { Publisher } from './publisher.js'
import type { Topology } from './topology.js'
import type { Watches } from './watch.js'

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
