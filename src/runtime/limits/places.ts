import type { Held, Locks } from '../../broker/locks.js'
import type { Clock } from '../../core/clock.js'

const SHORTEST_WAIT_MS = 100
/** However long the line seems, a waiting message looks again after this. */
const LONGEST_WAIT_MS = 5 * 60_000
/** Before a run has ended nobody knows how long one takes; too short a guess corrects itself soon, too long a one leaves places empty. */
const FIRST_GUESS_MS = 100
/** Runs shorter than guessed would leave places empty, so the guess is a little less than what was measured. */
const OPTIMISM = 0.75
/** Weight of the last run in the mean. */
const LAST_RUN = 0.2
/** A message that comes later than this after its time went elsewhere. */
const LATE_MS = 5_000
/** For so long nobody is asked again after all places were found taken; longer where asking itself takes long. */
const FULL_MS = 50
const LONGEST_FULL_MS = 1_000
const FULL_PER_SEARCH = 5

/** How long runs of a task take, over all its keys. */
export class RunTimes {
  meanMs = FIRST_GUESS_MS

  add(ms: number): void {
    this.meanMs += LAST_RUN * (ms - this.meanMs)
  }
}

export interface PlacesOptions {
  readonly locks: Locks
  readonly clock: Clock
  /** What is counted, in all processes. */
  readonly name: string
  readonly most: number
  readonly times: RunTimes
}

/** The places of a task (or of one key of it) that runs so often at once: each is a name, held while a run lasts. */
export class Places {
  readonly #options: PlacesOptions
  /** Places of this process, being taken or held. */
  readonly #mine = new Set<number>()
  /** Where the search begins: places that were free a moment ago. */
  #first: number
  #fullUntil = 0
  /** Since when every place was found taken whenever somebody asked. */
  #fullSince: number | undefined
  /** The end of the line. */
  #plannedUntil = 0
  /** When the last of the waiting messages was told to come; the line does not go that far where it would be too long. */
  #lastComesAt = 0

  constructor(options: PlacesOptions) {
    this.#options = options
    this.#first = Math.floor(Math.random() * options.most)
  }

  /** Whether a place may be free; asks nobody. */
  get mayEnter(): boolean {
    return this.#mine.size < this.#options.most && this.#options.clock.now() >= this.#fullUntil
  }

  /** Takes a place if one is free. @throws ErrandError what the locks throw */
  async enter(): Promise<Held | undefined> {
    if (!this.mayEnter) return undefined
    const begunAt = this.#options.clock.now()
    for (let step = 0; step < this.#options.most; step++) {
      const place = (this.#first + step) % this.#options.most
      const held = this.#mine.has(place) ? undefined : await this.#take(place)
      if (held === undefined) continue
      this.#fullSince = undefined
      return held
    }
    const now = this.#options.clock.now()
    this.#fullUntil = now + Math.min(LONGEST_FULL_MS, Math.max(FULL_MS, FULL_PER_SEARCH * (now - begunAt)))
    return undefined
  }

  /** Puts a waiting message at the end of the line; answers the milliseconds until its turn, as far as that can be guessed. */
  plan(random: () => number): number {
    const now = this.#options.clock.now()
    const waitMs = this.#waitMs(now, random)
    this.#lastComesAt = Math.max(this.#lastComesAt, now + waitMs)
    return waitMs
  }

  /** Nothing is to be remembered. */
  get isIdle(): boolean {
    return this.#mine.size === 0 && Math.max(this.#plannedUntil, this.#lastComesAt) < this.#options.clock.now()
  }

  async #take(place: number): Promise<Held | undefined> {
    const { locks, name } = this.#options
    this.#mine.add(place)
    let held: Held | undefined
    try {
      held = await locks.take(`c:${name}:${place}`)
    } finally {
      if (held === undefined) this.#mine.delete(place)
    }
    return held === undefined ? undefined : { lost: held.lost, release: () => this.#leave(place, held) }
  }

  async #leave(place: number, held: Held): Promise<void> {
    try {
      await held.release()
    } finally {
      this.#mine.delete(place)
      this.#first = place
      this.#fullUntil = 0
    }
  }

  #waitMs(now: number, random: () => number): number {
    const { times, most } = this.#options
    // while one long run holds everybody up, its length so far is the best guess
    const runMs = Math.max(times.meanMs, now - this.#fullFrom(now))
    const turn = Math.max(this.#plannedUntil, now) + (OPTIMISM * runMs) / most
    // those at the end must not come all at once
    if (turn - now > LONGEST_WAIT_MS) return (LONGEST_WAIT_MS / 2) * (1 + random())
    this.#plannedUntil = turn
    return Math.max(SHORTEST_WAIT_MS, turn - now) * (0.9 + 0.2 * random())
  }

  /** What is remembered of a line counts as long as those in it come when they were told. */
  #fullFrom(now: number): number {
    const isOld = now - this.#lastComesAt > LATE_MS
    if (isOld || this.#fullSince === undefined) this.#fullSince = now
    return this.#fullSince
  }
}
