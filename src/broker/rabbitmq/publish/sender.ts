import { outside } from '../../../core/outside.js'
import { ErrandError } from '../../../errors.js'
import type { Link } from '../link/connection.js'
import type { Declarer } from '../topology/declarer.js'
import { reasonOf } from '../link/errors.js'
import type { Flight } from './flight.js'
import { Flights } from './flights.js'
import type { Entry, Lane } from './lane.js'
import { Lanes } from './lanes.js'
import type { ResolvedRabbitOptions } from '../link/options.js'
import type { Publication, Route } from '../message/publication.js'
import type { PublisherLimits } from './publisher-parts.js'
import { tooLarge, unencodable, unroutable } from './publish-errors.js'
import type { Session } from '../link/session.js'

/** A confirm takes milliseconds, the election of a leader a second or two. */
const LONGEST_STALL_MS = 5000

/** Messages of one lane that go before the next lane has its turn. */
const TURN = 100

export interface SenderParts {
  readonly options: ResolvedRabbitOptions
  readonly link: Link
  readonly declarer: Declarer
  readonly limits: PublisherLimits
  /** The caller has its answer: stored, or why not. */
  settle(entry: Entry, error?: unknown): void
}

/** Sends what waits in the lanes as fast as confirms come, and sends again what did not arrive. */
export class Sender {
  readonly #parts: SenderParts
  readonly #lanes = new Lanes()
  readonly #flights: Flights
  #isPumping = false

  constructor(parts: SenderParts) {
    const { options, limits } = parts
    this.#parts = parts
    this.#flights = new Flights({
      clock: options.clock,
      log: options.log,
      // after a stall and the end of a connection there is time left for another host
      stallMs: Math.min(LONGEST_STALL_MS, options.confirmTimeoutMs / 4),
      window: limits.window,
      opened: () => this.#pump(),
      settled: (entry, isRefused) => this.#settled(entry, isRefused),
      confirmedLate: (entry) => this.#parts.settle(entry),
      tooLarge: (entry, limit) => this.#parts.settle(entry, tooLarge(entry.publication, limit)),
      putBack: (entries) => this.#putBack(entries),
      forgetTopology: () => this.#forgetTopology(),
    })
    parts.link.on('up', (session) => this.#connected(session))
  }

  /** @throws ErrandError `OPTION_INVALID` for a queue name the server would not take */
  laneOf(publication: Publication, route: Route): Lane {
    return this.#lanes.of(publication, route)
  }

  add(entry: Entry): void {
    entry.lane.push(entry)
    this.#lanes.busy.add(entry.lane)
    this.#pumpSoon()
  }

  /** Takes out, of what was sent and what waits, the entries of which `isWanted` says so. */
  take(isWanted: (entry: Entry) => boolean): readonly Entry[] {
    return [...this.#flights.take(isWanted), ...this.#lanes.take(isWanted)]
  }

  /** To be called now and then while anything waits: looks after what is not confirmed. */
  check(now: number): void {
    this.#flights.check(now)
    this.#pumpSoon()
  }

  #connected(session: Session): void {
    const { log } = this.#parts.options
    session.on('unblocked', () => {
      log.info('RabbitMQ takes messages again.')
      this.#pumpSoon()
    })
    session.on('blocked', (reason) => log.warn(`RabbitMQ takes no messages at the moment: ${reason}.`))
    for (const lane of this.#lanes.busy) lane.isHeld = false
    this.#forgetTopology()
    this.#flights.connected(session)
  }

  /** Once per turn: everything that was published in this turn leaves together. */
  #pumpSoon(): void {
    if (this.#isPumping) return
    this.#isPumping = true
    queueMicrotask(() => this.#pump())
  }

  #pump(): void {
    this.#isPumping = false
    let hasSent = true
    while (hasSent) {
      hasSent = false
      for (const lane of this.#lanes.busy) hasSent = this.#sendSome(lane) || hasSent
    }
  }

  /** Sends a turn's worth of a lane. Answers whether more of it could be sent. */
  #sendSome(lane: Lane): boolean {
    const { session } = this.#parts.link
    if (lane.isHeld || session === undefined || session.blockedBy !== undefined) return false
    if (!lane.isReady) {
      void outside(() => this.#prepare(lane, session))
      return false
    }
    const flight = this.#flights.of(lane)
    if (flight === undefined) return false
    const room = Math.min(TURN, this.#flights.roomFor(lane, flight))
    for (let turn = 0; turn < room && !flight.isRetired; turn++) {
      const entry = lane.shift()
      if (entry === undefined) break
      this.#send(entry, flight)
    }
    if (lane.size > 0) return room > 0 && !flight.isRetired
    this.#lanes.rest(lane)
    return false
  }

  #send(entry: Entry, flight: Flight): void {
    try {
      entry.sentAt = this.#parts.options.clock.now()
      flight.send(entry)
    } catch (error) {
      if (error instanceof RangeError || error instanceof TypeError) {
        this.#parts.settle(entry, unencodable(entry, error))
        return
      }
      // the channel closed a moment ago; its loss is on the way to us
      flight.isRetired = true
      this.#putBack([entry])
    }
  }

  #settled(entry: Entry, isRefused: boolean): void {
    if (entry.isReturned) this.#returned(entry)
    else if (isRefused) this.#refused(entry)
    else {
      entry.lane.backoff.reset()
      this.#parts.settle(entry)
    }
    this.#pumpSoon()
  }

  /** No queue took it. It may have been deleted: it is declared again, once. */
  #returned(entry: Entry): void {
    if (entry.lane.isTemporary || entry.isSecondTry) {
      this.#parts.settle(entry, unroutable(entry))
      return
    }
    entry.isSecondTry = true
    this.#forgetTopology()
    this.#putBack([entry])
  }

  /** A refusal is often temporary: a leader is elected, the queue is full. */
  #refused(entry: Entry): void {
    entry.refusals += 1
    this.#putBack([entry])
    if (!entry.lane.isHeld) this.#hold(entry.lane)
  }

  #putBack(entries: readonly Entry[]): void {
    this.#lanes.putBack(entries)
    this.#pumpSoon()
  }

  #hold(lane: Lane): void {
    lane.isHeld = true
    const release = (): void => {
      lane.isHeld = false
      this.#pump()
    }
    outside(() => this.#parts.options.clock.after(lane.backoff.next(), release))
  }

  #forgetTopology(): void {
    this.#parts.declarer.forget()
    this.#lanes.forgetReadiness()
  }

  async #prepare(lane: Lane, session: Session): Promise<void> {
    lane.isHeld = true
    try {
      await this.#parts.declarer.route(session, lane.queue, lane.level)
      lane.isReady = true
      lane.isHeld = false
      lane.trouble = undefined
      this.#pump()
    } catch (error) {
      lane.trouble = error
      const isFinal = error instanceof ErrandError && error.code === 'BROKER_REFUSED'
      if (isFinal) for (const entry of lane.take(() => true)) this.#parts.settle(entry, error)
      this.#parts.options.log.warn(`RabbitMQ: the queue "${lane.queue}" cannot be prepared (${reasonOf(error)}).`)
      this.#hold(lane)
    }
  }
}
