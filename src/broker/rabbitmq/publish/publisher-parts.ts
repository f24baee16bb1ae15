import type { Link } from '../link/connection.js'
import type { Declarer } from '../topology/declarer.js'
import type { Topology } from '../topology/topology.js'

/** Bounds of what the publisher holds. */
export interface PublisherLimits {
  /** Messages sent and not yet confirmed. */
  readonly window: number
  /** Messages held in all, and the bytes of their bodies. */
  readonly messages: number
  readonly bytes: number
}

/** Confirms reach full speed from about 500 in flight, and one queue gets half of this; more only makes losses of a connection dearer. */
export const PUBLISHER_LIMITS: PublisherLimits = { window: 2000, messages: 100_000, bytes: 256 * 1024 * 1024 }

/** What a publisher works with. */
export interface PublisherParts {
  readonly link: Link
  readonly topology: Topology
  readonly declarer: Declarer
  /** @defaultValue PUBLISHER_LIMITS */
  readonly limits?: PublisherLimits
}
