import { LazySignal } from '../../../core/lazy-signal.js'
import type { Delivery } from '../../broker.js'
import type { Lease } from './lease.js'
import type { Watched } from '../watch/watched.js'

/** A delivery that is being run here. */
export class Run {
  readonly lease: Lease
  readonly tag: number
  /** What the handler gets. */
  readonly delivery: Delivery
  /** Milliseconds since the epoch at which it is to be put on watch. */
  watchAt: number
  /** It is being put on watch. */
  moving: Promise<void> | undefined
  /** Since then it is the marker, and no longer the channel, that says whose it is. */
  watched: Watched | undefined
  readonly #lost = new LazySignal()

  constructor({ lease, tag, watchAt }: Pick<Run, 'lease' | 'tag' | 'watchAt'>, delivery: Delivery) {
    this.lease = lease
    this.tag = tag
    this.watchAt = watchAt
    const lost = this.#lost
    this.delivery = {
      ...delivery,
      get lost() {
        return lost.signal
      },
    }
  }

  /** The broker has given the message to somebody else. */
  get isLost(): boolean {
    return this.#lost.isAborted
  }

  lose(reason: unknown): void {
    this.#lost.abort(reason)
  }
}
