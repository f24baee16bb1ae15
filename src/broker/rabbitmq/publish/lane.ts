import { Backoff } from '../link/backoff.js'
import type { Publication, Route } from '../message/publication.js'

/** Between two tries after the server refused a message of a lane. */
const FIRST_HOLD_MS = 50
const LONGEST_HOLD_MS = 2000

/** A publish under way. */
export interface Entry {
  readonly publication: Publication
  readonly route: Route
  readonly lane: Lane
  /** Milliseconds since the epoch at which it is rejected. */
  readonly deadline: number
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
  /** It is rejected at once while there is no connection. */
  readonly isImpatient: boolean
  /** It left at least once: the server may have it although nothing was confirmed. */
  isSent: boolean
  /** The server said, ahead of its confirm, that no queue takes it. */
  isReturned: boolean
  /** It was returned before, and its queue was declared again for it. */
  isSecondTry: boolean
  /** Milliseconds since the epoch at which it left last. */
  sentAt: number
  /** Times the server refused it. */
  refusals: number
  /** Its caller has the answer. */
  isSettled: boolean
}

/** Publishes that go the same way, in order. One lane that has to wait does not hold up the others. */
export class Lane {
  readonly name: string
  readonly queue: string
  readonly level: number | undefined
  readonly isTemporary: boolean
  /** What its messages need stands on the server. */
  isReady: boolean
  /** It waits: something is being declared, or the server refused a message a moment ago. */
  isHeld = false
  /** Its confirms do not come: it is sent to on a channel of its own, one message at a time, until one comes. */
  isApart = false
  /** Messages sent and not yet confirmed. */
  inFlight = 0
  /** The channel on which the last one left. */
  sentOn: object | undefined
  /** Why nothing of it could be sent, when that is known. */
  trouble: unknown
  readonly backoff = new Backoff(FIRST_HOLD_MS, LONGEST_HOLD_MS)
  #entries: (Entry | undefined)[] = []
  #head = 0

  constructor(publication: Publication, route: Route) {
    this.name = route.lane
    this.queue = publication.queue
    this.level = route.level
    this.isTemporary = publication.toTemporary === true
    this.isReady = this.isTemporary
  }

  get size(): number {
    return this.#entries.length - this.#head
  }

  push(entry: Entry): void {
    this.#entries.push(entry)
  }

  /** Puts back, ahead of the others, what left and did not arrive. */
  pushFront(entries: readonly Entry[]): void {
    this.#entries = [...entries, ...this.#entries.slice(this.#head)]
    this.#head = 0
  }

  shift(): Entry | undefined {
    for (;;) {
      const entry = this.#next()
      // confirmed after all, while it waited to be sent again
      if (entry?.isSettled !== true) return entry
    }
  }

  /** Takes out the entries of which `isWanted` says so. */
  take(isWanted: (entry: Entry) => boolean): readonly Entry[] {
    const taken: Entry[] = []
    const kept: Entry[] = []
    for (const entry of this.#entries.slice(this.#head)) {
      if (entry !== undefined) (isWanted(entry) ? taken : kept).push(entry)
    }
    this.#entries = kept
    this.#head = 0
    return taken
  }

  #next(): Entry | undefined {
    const entry = this.#entries[this.#head]
    if (entry === undefined) return undefined
    this.#entries[this.#head] = undefined
    this.#head += 1
    if (this.#head === this.#entries.length) {
      this.#entries = []
      this.#head = 0
    } else if (this.#head > 1024 && this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head)
      this.#head = 0
    }
    return entry
  }
}
