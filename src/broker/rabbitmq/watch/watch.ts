import { newId } from '../../../core/clock.js'
import { ErrandError } from '../../../errors.js'
import type { Delivery } from '../../broker.js'
import { Backoff } from '../link/backoff.js'
import type { Link } from '../link/connection.js'
import { afterLoss, watchCopy } from '../message/delivery.js'
import { hasEndMarker, removeEndMarker, setEndMarker } from './end-marker.js'
import { reasonOf } from '../link/errors.js'
import { dropName, takeName } from '../link/exclusive-name.js'
import type { ResolvedRabbitOptions } from '../link/options.js'
import type { Publication, Watch } from '../message/publication.js'
import type { Session } from '../link/session.js'
import type { Topology } from '../topology/topology.js'
import { Watched } from './watched.js'

/** A runner that died is noticed within this time; a watch copy costs the server a delayed message each time. */
const LONGEST_WATCH_MS = 60_000

/** End markers outlive their run by this many watches: a copy that went round twice must still find its own. */
const WATCHES_TO_CLEAR = 10

const GRACE_WITHOUT_HEARTBEATS_MS = 30_000

export interface WatchParts {
  /** The connection of the consumers, which holds the markers. */
  readonly link: Link
  readonly topology: Topology
  readonly options: ResolvedRabbitOptions
  readonly publish: (publication: Publication) => Promise<void>
}

/**
 * Runs that take longer than the server waits for an acknowledgement. Their message is acknowledged while they run; a copy of it,
 * delayed, goes round and looks after them, and runs the message again when the process of the runner is gone without a verdict.
 * `docs/decisions/0007-long-tasks-on-rabbitmq.md` says why it is done so.
 */
export class Watches {
  /** A run that is not over after this is put on watch. */
  readonly holdMs: number
  readonly #parts: WatchParts
  readonly #watchMs: number
  /** A runner that lost its connection has this long to come back. */
  readonly #graceMs: number
  /** The runs of this process, by key. */
  readonly #own = new Map<string, Watched>()
  /** Looked for at the moment: one connection may take its own name twice. */
  readonly #looking = new Set<string>()

  constructor(parts: WatchParts) {
    const { ackTimeoutMs, heartbeatSeconds } = parts.options
    this.#parts = parts
    // seen a quarter of it later at most, which is within a third of the time
    this.holdMs = ackTimeoutMs / 4
    this.#watchMs = Math.min(LONGEST_WATCH_MS, this.holdMs)
    this.#graceMs = heartbeatSeconds === 0 ? GRACE_WITHOUT_HEARTBEATS_MS : 3 * heartbeatSeconds * 1000
    parts.link.on('up', (session) => {
      for (const watched of this.#own.values()) void this.#keepMarker(watched, session)
    })
    parts.link.on('closed', () => {
      for (const watched of this.#own.values()) this.#lose(watched, 'this process closed its connection')
    })
  }

  /**
   * Stores the watch copy of a delivery and sets its run marker, in this order: no marker without a copy. From then on the original
   * can be acknowledged; where it cannot any more, {@link withdraw}.
   */
  async begin(delivery: Delivery, onLost: (reason: unknown) => void): Promise<Watched> {
    // not the connection on which the message came, which may be one for a short while
    const session = await this.#parts.link.ready(this.#graceMs, 'Cannot put a long run on watch')
    const watched = new Watched(newId(), session, onLost)
    const { key } = watched
    try {
      await this.#parts.publish(watchCopy(delivery, this.#watchMs, { key, state: 'looking' }))
      await takeName(session, this.#markerOf(key))
    } catch (error) {
      void this.withdraw(watched)
      throw error
    }
    this.#own.set(key, watched)
    return watched
  }

  /** The original message is still there, or comes again: the copy is to do nothing. */
  async withdraw({ key }: Watched): Promise<void> {
    this.#own.delete(key)
    try {
      const session = await this.#parts.link.ready(this.#watchMs, 'Cannot withdraw a watch copy')
      await setEndMarker(session, this.#parts.topology.endMarker(key))
      await dropName(session, this.#markerOf(key))
    } catch (error) {
      this.#parts.options.log.warn(`RabbitMQ: a message may run once more than it should (${reasonOf(error)}).`)
    }
  }

  /**
   * Ends a run, after `successor` is stored; answers whether the message was still its own. The end marker is set before the run
   * marker goes, and whoever looks takes the run marker before it looks for the end marker: it never sees neither.
   */
  async end(watched: Watched, successor: Publication | undefined): Promise<boolean> {
    let isStored = successor === undefined
    const backoff = new Backoff(50, 1000)
    for (;;) {
      const session = await watched.holder()
      if (session === undefined) return false
      try {
        if (successor !== undefined && !isStored) await this.#parts.publish(successor)
        isStored = true
        // the connection may have been another one's meanwhile
        if ((await watched.holder()) !== session) continue
        await setEndMarker(session, this.#parts.topology.endMarker(watched.key))
        break
      } catch (error) {
        if (session.isUp && !isStored) throw error
        await this.#pause(backoff)
      }
    }
    this.#own.delete(watched.key)
    await this.#dropMarker(watched.key)
    return true
  }

  /** Leaves the message of a run to its watch copy, as after a crash. */
  async forsake(watched: Watched): Promise<void> {
    this.#own.delete(watched.key)
    await this.#dropMarker(watched.key)
  }

  /** Does what a watch copy is there for; once that is done, the copy may go. */
  async look(session: Session, delivery: Delivery, { key, state }: Watch): Promise<void> {
    const { topology, options, publish } = this.#parts
    if (state === 'cleared') return removeEndMarker(session, topology.endMarker(key))
    const again = (delayMs: number, next: Watch['state']): Promise<void> => publish(watchCopy(delivery, delayMs, { key, state: next }))
    if (this.#own.has(key) || this.#looking.has(key)) return again(this.#watchMs, 'looking')
    this.#looking.add(key)
    try {
      if (!(await takeName(session, this.#markerOf(key)))) return await again(this.#watchMs, 'looking')
      if (await hasEndMarker(session, topology.endMarker(key))) await again(this.#watchMs * WATCHES_TO_CLEAR, 'cleared')
      else if (state === 'looking') await again(this.#graceMs, 'missing')
      else {
        options.log.warn(`RabbitMQ: whoever ran a message of "${delivery.queue}" for long is gone; it is run again.`)
        await publish(afterLoss(delivery))
        await setEndMarker(session, topology.endMarker(key))
      }
      await this.#dropMarker(key, session)
    } finally {
      this.#looking.delete(key)
    }
  }

  /**
   * On a new connection a run needs its marker again. While somebody else has it, it is this process's own lost connection, which
   * the server has not missed yet, or someone who looks; when it is free, the end marker says whether the run was given up.
   */
  async #keepMarker(watched: Watched, session: Session): Promise<void> {
    const backoff = new Backoff(50, 1000)
    const { key } = watched
    while (session.isUp && this.#own.get(key) === watched) {
      try {
        if (await takeName(session, this.#markerOf(key))) {
          if (await hasEndMarker(session, this.#parts.topology.endMarker(key))) {
            this.#lose(watched, 'another process took it over while this one had no connection')
            await this.#dropMarker(key, session)
          } else watched.heldBy(session)
          return
        }
      } catch (error) {
        this.#parts.options.log.debug(`RabbitMQ: a long run cannot be marked (${reasonOf(error)}).`)
      }
      await this.#pause(backoff)
    }
  }

  #lose(watched: Watched, why: string): void {
    this.#own.delete(watched.key)
    watched.lose(new ErrandError('BROKER_UNREACHABLE', `The message of this run is no longer its own: ${why}. Its outcome does not count.`))
  }

  async #dropMarker(key: string, session = this.#parts.link.session): Promise<void> {
    if (session !== undefined) await dropName(session, this.#markerOf(key))
  }

  #markerOf(key: string): string {
    return this.#parts.topology.runMarkerName(key)
  }

  async #pause(backoff: Backoff): Promise<void> {
    await new Promise<void>((resolve) => this.#parts.options.clock.after(backoff.next(), resolve))
  }
}
