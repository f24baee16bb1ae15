import { LazySignal } from '../../../core/lazy-signal.js'
import type { Delivery } from '../../broker.js'
import type { Lease } from './lease.js'
import type { Watched } from '../watch/watched.js'

/** Gives the signal when it is asked for; a getter written into each delivery would cost more than the delivery. */
class Lost {
  readonly #signal: LazySignal

  constructor(signal: LazySignal) {
    this.#signal = signal
  }

  get lost(): AbortSignal {
    return this.#signal.signal
  }
}

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
    this.delivery = Object.assign(new Lost(this.#lost), delivery)
  }

  /** The broker has given the message to somebody else. */
  get isLost(): boolean {
    return this.#lost.isAborted
  }

  lose(reason: unknown): void {
    this.#lost.abort(reason)
  }
}
