import type { Lane } from './lane.js'

/** A connection is given up for one silent lane alone less and less often: 16 times the first patience at last. */
const MOST_DOUBLINGS = 4

/** What is known of a lane whose confirms do not come. */
interface Silence {
  /** Milliseconds since the epoch from which on it waits in vain. */
  since: number
  /** The log tells of it. */
  isTold: boolean
  /** Connections that were given up for it, one after the other. */
  given: number
}

/** The lanes whose confirms do not come, while others must not wait for them. */
export class ApartLanes {
  readonly #lanes = new Map<Lane, Silence>()

  add(lane: Lane, now: number): void {
    if (lane.isApart) return
    lane.isApart = true
    this.#lanes.set(lane, { since: now, isTold: false, given: 0 })
  }

  /** Whether the log is to tell of the lane now: once. */
  tell(lane: Lane): boolean {
    const silence = this.#lanes.get(lane)
    if (silence === undefined || silence.isTold) return false
    silence.isTold = true
    return true
  }

  /** A confirm came: the lane is like the others again. Answers whether the log told of it. */
  remove(lane: Lane): boolean {
    const silence = this.#lanes.get(lane)
    lane.isApart = false
    this.#lanes.delete(lane)
    return silence?.isTold === true
  }

  /** Nothing could be confirmed until now: there was no connection, or the server was blocked. */
  excuse(now: number): void {
    for (const silence of this.#lanes.values()) silence.since = now
  }

  /**
   * Whether the connection is of no use: a lane waits longer than `patienceMs`, on a channel of its own, and nothing else was
   * confirmed either. A single queue without a leader looks the same when nobody publishes to another, hence the growing patience.
   */
  isHopeless(now: number, answeredAt: number, patienceMs: number): boolean {
    for (const [lane, silence] of this.#lanes) {
      const isIdle = lane.size === 0 && lane.inFlight === 0
      if (isIdle) silence.since = now
      // the names of temporary queues come and go
      if (isIdle && lane.isTemporary) this.#lanes.delete(lane)
      const isLone = answeredAt > silence.since
      const doublings = isLone ? MOST_DOUBLINGS : Math.min(silence.given, MOST_DOUBLINGS)
      if (now - Math.max(silence.since, answeredAt) < patienceMs * 2 ** doublings) continue
      for (const each of this.#lanes.values()) each.given += 1
      return true
    }
    return false
  }
}
