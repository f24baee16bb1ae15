import type { Clock } from '../../../core/clock.js'
import type { Logger } from '../../../core/logger.js'
import { outside } from '../../../core/outside.js'
import { ApartLanes } from './apart.js'
import { Backoff } from '../link/backoff.js'
import { reasonOf } from '../link/errors.js'
import { Flight } from './flight.js'
import type { Entry, Lane } from './lane.js'
import { OwnChannels } from './own-channels.js'
import type { Session } from '../link/session.js'

/**
 * From 32 unconfirmed messages for one quorum queue on, a server takes no more of the channel than a few hundred, and then nothing
 * more of the whole connection, until the queue confirms. A lane with more than this has a channel of its own.
 */
const SHARED_MOST = 24

/** What a lane may have under way on its own channel: as much as does not stop the connection, and more while confirms come. */
const UNPROVEN_MOST = 200
const PROVEN_MOST = 1000
const PROOF_MS = 500

/** An own channel that was not used for so long is closed. */
const IDLE_MS = 30_000

export interface FlightsParts {
  readonly clock: Clock
  readonly log: Logger
  /** Milliseconds after which a message without a confirm is sent on another channel. */
  readonly stallMs: number
  /** Messages sent and not yet confirmed, of all lanes. */
  readonly window: number
  /** There is a channel where there was none. */
  opened(): void
  settled(entry: Entry, isRefused: boolean): void
  confirmedLate(entry: Entry): void
  /** The server takes no message of that size. */
  tooLarge(entry: Entry, limit: number): void
  /** They did not arrive as far as is known, and are to be sent again. */
  putBack(entries: readonly Entry[]): void
  /** What stood on the server when it was declared may be gone with the server or by an operator. */
  forgetTopology(): void
}

/**
 * The channels on which messages leave: one for all lanes, and one each for lanes with many messages and for those whose confirms
 * do not come. A quorum queue without a leader confirms nothing, for ever when its log is lost: it holds up nobody but its own
 * callers.
 */
export class Flights {
  readonly #parts: FlightsParts
  readonly #all = new Set<Flight>()
  readonly #own = new OwnChannels()
  readonly #apart = new ApartLanes()
  readonly #backoff = new Backoff(50, 2000)
  #session: Session | undefined
  #shared: Flight | undefined
  /** Milliseconds since the epoch of the last confirm or refusal. */
  #answeredAt = 0

  constructor(parts: FlightsParts) {
    this.#parts = parts
  }

  connected(session: Session): void {
    this.#session = session
    this.#shared = undefined
    this.#own.clear()
    this.#apart.excuse(this.#parts.clock.now())
    void this.#open(session, undefined)
  }

  /** The channel on which the lane may send now. */
  of(lane: Lane): Flight | undefined {
    const session = this.#session
    if (session?.isUp !== true || session.blockedBy !== undefined) return undefined
    const isMany = !lane.isTemporary && lane.size + lane.inFlight > SHARED_MOST
    if ((lane.isApart || isMany) && this.#own.claim(lane)) void this.#open(session, lane)
    const flight = this.#own.of(lane) ?? (lane.isApart ? undefined : this.#shared)
    return flight?.isRetired === false ? flight : undefined
  }

  /** How many messages of the lane may leave on this channel now. */
  roomFor(lane: Lane, flight: Flight): number {
    if (lane.isApart) return 1 - lane.inFlight
    // one after the other: what leaves on two channels arrives in any order
    if (lane.inFlight > 0 && lane.sentOn !== flight) return 0
    const all = [...this.#all].reduce((sum, { size }) => sum + size, 0)
    return Math.min(this.#mostFor(lane, flight) - lane.inFlight, this.#parts.window - all)
  }

  #mostFor(lane: Lane, flight: Flight): number {
    if (flight.lane === undefined) return lane.isTemporary ? UNPROVEN_MOST : SHARED_MOST
    return flight.answeredAt > this.#parts.clock.now() - PROOF_MS ? PROVEN_MOST : UNPROVEN_MOST
  }

  take(isWanted: (entry: Entry) => boolean): readonly Entry[] {
    return [...this.#all].flatMap((flight) => flight.take(isWanted))
  }

  /** Sets the lanes apart whose confirms do not come, and gives up a connection on which none comes. */
  check(now: number): void {
    const { stallMs } = this.#parts
    if (this.#session?.blockedBy !== undefined) this.#apart.excuse(now)
    for (const flight of this.#all) {
      if (flight.session.blockedBy !== undefined) flight.openSince = now
      for (const lane of flight.lanesWaitingSince(now - stallMs)) this.#setApart(lane, now)
      this.#tidy(flight)
    }
    for (const flight of this.#own.idle()) if (now - flight.answeredAt > IDLE_MS) this.#retire(flight)
    if (this.#session?.isUp === true && this.#apart.isHopeless(now, this.#answeredAt, stallMs)) {
      this.#session.leave('it confirmed nothing any more')
    }
  }

  /** Opens a channel for all, or for one lane; tries again as long as the connection stands. */
  async #open(session: Session, lane: Lane | undefined): Promise<void> {
    const { clock, log } = this.#parts
    while (session.isUp) {
      try {
        const channel = await outside(() => session.confirmChannel())
        const flight = new Flight(channel, this.#events, { session, lane, now: clock.now() })
        this.#all.add(flight)
        this.#install(flight)
        return
      } catch (error) {
        if (session.isUp) log.warn(`RabbitMQ: no channel to publish on (${reasonOf(error)}).`)
        await new Promise<void>((resolve) => clock.after(this.#backoff.next(), resolve))
      }
    }
  }

  #install(flight: Flight): void {
    const { lane, session } = flight
    if (session !== this.#session || (lane !== undefined && !this.#own.assign(lane, flight))) {
      this.#retire(flight)
      return
    }
    if (lane === undefined) this.#shared = flight
    this.#parts.opened()
  }

  readonly #events = {
    settled: (entry: Entry, flight: Flight, isRefused: boolean): void => {
      this.#answeredAt = flight.answeredAt = this.#parts.clock.now()
      if (isRefused) this.#refused(entry.lane, flight)
      else this.#confirmed(entry.lane)
      this.#parts.settled(entry, isRefused)
      this.#tidy(flight)
    },
    confirmedLate: (entry: Entry): void => {
      this.#answeredAt = this.#parts.clock.now()
      // it may be under way once more
      for (const flight of this.#all) flight.drop(entry)
      this.#confirmed(entry.lane)
      this.#parts.confirmedLate(entry)
    },
    tooLarge: (entry: Entry, limit: number): void => this.#parts.tooLarge(entry, limit),
    lost: (flight: Flight, entries: readonly Entry[]): void => {
      const { lane, session } = flight
      const isInUse = this.#shared === flight || (lane !== undefined && this.#own.of(lane) === flight)
      this.#all.delete(flight)
      this.#parts.putBack(entries)
      if (!isInUse) return
      if (lane === undefined) this.#shared = undefined
      this.#parts.forgetTopology()
      if (session.isUp) outside(() => this.#parts.clock.after(this.#backoff.next(), () => this.#replace(flight)))
    },
  }

  #confirmed(lane: Lane): void {
    this.#backoff.reset()
    if (!lane.isApart) return
    if (this.#apart.remove(lane)) this.#parts.log.info(`RabbitMQ: ${shown(lane)} confirms again.`)
  }

  /** It may refuse for long (a full queue), and this channel may refuse for ever. */
  #refused(lane: Lane, flight: Flight): void {
    this.#apart.add(lane, this.#parts.clock.now())
    this.#retire(flight)
  }

  #setApart(lane: Lane, now: number): void {
    const { log, stallMs } = this.#parts
    this.#apart.add(lane, now)
    // so many of one queue stop the connection, with all that is sent on it
    if (lane.inFlight > UNPROVEN_MOST && this.#answeredAt <= now - stallMs) this.#session?.leave(`"${lane.queue}" confirms nothing`)
    if (this.#answeredAt > now - stallMs && this.#apart.tell(lane)) log.warn(`RabbitMQ: ${silence(lane, stallMs)}`)
    const entries: Entry[] = []
    for (const flight of this.#all) {
      const own = flight.giveUp(lane)
      entries.push(...own)
      if (own.length > 0) this.#retire(flight)
    }
    this.#parts.putBack(entries)
  }

  /** Sends nothing more on a channel; another one takes its place. */
  #retire(flight: Flight): void {
    const isShared = flight === this.#shared
    flight.isRetired = true
    this.#own.release(flight)
    if (isShared) this.#shared = undefined
    if (isShared) void this.#open(flight.session, undefined)
    this.#tidy(flight)
  }

  #replace(flight: Flight): void {
    this.#own.release(flight)
    if (flight.lane === undefined) void this.#open(flight.session, undefined)
    else this.#parts.opened()
  }

  #tidy(flight: Flight): void {
    if (!flight.isDone || !this.#all.delete(flight)) return
    void flight.close()
  }
}

const shown = (lane: Lane): string =>
  lane.level === undefined ? `the queue "${lane.queue}"` : `delay level ${lane.level} of the queue "${lane.queue}"`

const silence = (lane: Lane, ms: number): string =>
  `${shown(lane)} confirmed nothing for ${ms} ms, while others did. It is sent to apart from them, one message at a time, ` +
  'until it confirms again. If that lasts it may have no leader: see rabbitmq-queues quorum_status.'
