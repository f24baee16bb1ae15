import { Lane, type Entry } from './lane.js'
import type { Publication, Route } from '../message/publication.js'
import { checkQueueName } from '../topology/topology.js'

/** All lanes of a publisher. */
export class Lanes {
  /** Those with something to send. */
  readonly busy = new Set<Lane>()
  readonly #all = new Map<string, Lane>()

  /** The lane of a publication. @throws ErrandError `OPTION_INVALID` for a queue name the server would not take */
  of(publication: Publication, route: Route): Lane {
    const known = this.#all.get(route.lane)
    if (known !== undefined) return known
    checkQueueName(publication.queue)
    const lane = new Lane(publication, route)
    this.#all.set(route.lane, lane)
    return lane
  }

  /** The lane has nothing to send at the moment. */
  rest(lane: Lane): void {
    this.busy.delete(lane)
    // the names of temporary queues come and go
    if (lane.isTemporary) this.#all.delete(lane.name)
  }

  /** Puts back, ahead of what waits, what was sent and did not arrive. */
  putBack(entries: readonly Entry[]): void {
    const byLane = new Map<Lane, Entry[]>()
    for (const entry of entries) {
      const same = byLane.get(entry.lane)
      if (same === undefined) byLane.set(entry.lane, [entry])
      else same.push(entry)
    }
    for (const [lane, own] of byLane) {
      lane.pushFront(own)
      // the other lanes have their turn first
      this.busy.delete(lane)
      this.busy.add(lane)
    }
  }

  /** Takes out what waits and of which `isWanted` says so. */
  take(isWanted: (entry: Entry) => boolean): readonly Entry[] {
    return [...this.busy].flatMap((lane) => lane.take(isWanted))
  }

  /** What the lanes need may no longer stand on the server. */
  forgetReadiness(): void {
    for (const lane of this.#all.values()) lane.isReady = lane.isTemporary
  }
}
