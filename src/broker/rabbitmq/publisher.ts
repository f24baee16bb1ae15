import { outside } from '../../core/outside.js'
import { ErrandError } from '../../errors.js'
import { Backoff } from './backoff.js'
import type { Link } from './connection.js'
import { deferred, within } from './deadline.js'
import type { Declarer } from './declarer.js'
import { closedError, reasonOf } from './errors.js'
import { Flight } from './flight.js'
import type { Entry, Lane } from './lane.js'
import { Lanes } from './lanes.js'
import type { ResolvedRabbitOptions } from './options.js'
import { routeOf, type Publication } from './publication.js'
import { PUBLISHER_LIMITS, type PublisherLimits, type PublisherParts } from './publisher-parts.js'
import { bufferFull, cutOff, late, publishing, tooLarge, unencodable, unroutable } from './publish-errors.js'
import type { Session } from './session.js'
import type { Topology } from './topology.js'

/** A confirm takes milliseconds, the election of a leader a second or two. */
const LONGEST_STALL_MS = 5000

/** Messages of one lane that go before the next lane has its turn. */
const TURN = 100

/** Sends messages and answers when the server has them. A call never hangs, and never resolves without a confirm. */
export class Publisher {
  readonly #options: ResolvedRabbitOptions
  readonly #link: Link
  readonly #topology: Topology
  readonly #declarer: Declarer
  readonly #limits: PublisherLimits
  readonly #lanes = new Lanes()
  readonly #flights = new Set<Flight>()
  readonly #channelBackoff = new Backoff(50, 2000)
  #flight: Flight | undefined
  #inFlight = 0
  #held = 0
  #heldBytes = 0
  #isPumping = false
  #isSweeping = false
  #isClosed = false
  #onEmpty: (() => void) | undefined

  constructor(options: ResolvedRabbitOptions, parts: PublisherParts) {
    this.#options = options
    this.#link = parts.link
    this.#topology = parts.topology
    this.#declarer = parts.declarer
    this.#limits = parts.limits ?? PUBLISHER_LIMITS
    this.#link.on('up', (session) => this.#connected(session))
    this.#link.on('down', () => {
      for (const entry of this.#takeAll(({ isImpatient }) => isImpatient)) this.#settle(entry, cutOff(entry, this.#link))
    })
  }

  /** @throws ErrandError `BROKER_UNREACHABLE`, `BROKER_CLOSED`, `PUBLISH_TIMEOUT`, `PUBLISH_UNROUTABLE`, `QUEUE_FULL`, `PAYLOAD_TOO_LARGE` */
  publish(publication: Publication, whenAway: 'wait' | 'reject' = 'wait'): Promise<void> {
    return new Promise((resolve, reject) => {
      const isImpatient = whenAway === 'reject'
      const refusal = this.#refusal(publication, isImpatient)
      if (refusal !== undefined) {
        reject(refusal)
        return
      }
      const route = routeOf(publication, this.#topology)
      const lane = this.#lanes.of(publication, route)
      const deadline = this.#options.clock.now() + this.#options.confirmTimeoutMs
      const state = { isSent: false, isReturned: false, isSecondTry: false, sentAt: 0, isStalled: false, refusals: 0 }
      lane.push({ publication, route, lane, deadline, resolve, reject, isImpatient, ...state })
      this.#lanes.busy.add(lane)
      this.#held += 1
      this.#heldBytes += publication.body.length
      if (!this.#isSweeping) this.#sweepLater()
      this.#pumpSoon()
    })
  }

  /** Waits for what is under way, at most `ms`, and rejects the rest. */
  async close(ms: number): Promise<void> {
    this.#isClosed = true
    if (this.#held > 0 && this.#link.session !== undefined) {
      const empty = deferred<undefined>()
      this.#onEmpty = () => empty.resolve(undefined)
      await within(empty.promise, ms, () => undefined)
    }
    for (const entry of this.#takeAll(() => true)) this.#settle(entry, closedError(publishing(entry)))
  }

  #refusal(publication: Publication, isImpatient: boolean): ErrandError | undefined {
    const what = `Cannot publish to "${publication.queue}"`
    if (this.#isClosed) return closedError(what)
    if (isImpatient && this.#link.session === undefined) return this.#link.unreachable(what)
    const { messages, bytes } = this.#limits
    const isFull = this.#held >= messages || this.#heldBytes + publication.body.length > bytes
    return isFull ? bufferFull(publication.queue, this.#held) : tooLarge(publication)
  }

  #connected(session: Session): void {
    session.on('unblocked', () => this.#pumpSoon())
    session.on('blocked', (reason) => this.#options.log.warn(`RabbitMQ takes no messages at the moment: ${reason}.`))
    for (const lane of this.#lanes.busy) lane.isHeld = false
    void this.#openFlight(session)
  }

  /** A channel to publish on; tries again as long as the connection stands. */
  async #openFlight(session: Session): Promise<void> {
    const { clock, log } = this.#options
    while (session.isUp) {
      try {
        const channel = await session.confirmChannel()
        const flight = new Flight(session, channel, this.#flightEvents, clock.now())
        this.#flights.add(flight)
        this.#flight = flight
        this.#pump()
        return
      } catch (error) {
        if (session.isUp) log.warn(`RabbitMQ: no channel to publish on (${reasonOf(error)}).`)
        await new Promise<void>((resolve) => clock.after(this.#channelBackoff.next(), resolve))
      }
    }
  }

  readonly #flightEvents = {
    settled: (entry: Entry, flight: Flight, isRefused: boolean): void => {
      this.#inFlight -= 1
      if (entry.isReturned) this.#unroutable(entry)
      else if (isRefused) this.#refused(entry, flight)
      else this.#confirmed(entry)
      if (flight.isRetired && flight.size === 0) this.#letGo(flight)
      this.#pumpSoon()
    },
    lost: (flight: Flight, entries: readonly Entry[]): void => {
      this.#inFlight -= entries.length
      this.#flights.delete(flight)
      this.#lanes.putBack(entries)
      if (this.#flight !== flight) return
      this.#flight = undefined
      // what stood on the server when it was declared may be gone with the server or by an operator
      this.#forgetTopology()
      if (flight.session.isUp) this.#later(this.#channelBackoff.next(), () => void this.#openFlight(flight.session))
    },
  }

  #confirmed(entry: Entry): void {
    entry.lane.backoff.reset()
    this.#channelBackoff.reset()
    this.#settle(entry)
  }

  /** No queue took it. It may have been deleted: it is declared again, once. */
  #unroutable(entry: Entry): void {
    if (entry.lane.isTemporary || entry.isSecondTry) {
      this.#settle(entry, unroutable(entry))
      return
    }
    entry.isSecondTry = true
    this.#forgetTopology()
    this.#lanes.putBack([entry])
  }

  /** A refusal is often temporary (a leader is elected, the queue is full), but the channel may stay unusable for ever. */
  #refused(entry: Entry, flight: Flight): void {
    entry.refusals += 1
    this.#lanes.putBack([entry])
    if (!entry.lane.isHeld) this.#hold(entry.lane)
    if (flight.isRetired) return
    flight.isRetired = true
    if (this.#flight === flight) this.#flight = undefined
    void this.#openFlight(flight.session)
  }

  #letGo(flight: Flight): void {
    this.#flights.delete(flight)
    void flight.close()
  }

  #hold(lane: Lane): void {
    lane.isHeld = true
    this.#later(lane.backoff.next(), () => {
      lane.isHeld = false
      this.#pump()
    })
  }

  #forgetTopology(): void {
    this.#declarer.forget()
    this.#lanes.forgetReadiness()
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
      for (const lane of this.#lanes.busy) {
        const flight = this.#flight
        if (flight === undefined || flight.isRetired || flight.session.blockedBy !== undefined) return
        if (this.#inFlight >= this.#limits.window) return
        if (lane.isHeld) continue
        if (lane.isReady) hasSent = this.#sendSome(lane, flight) || hasSent
        else void outside(() => this.#prepare(lane, flight.session))
      }
    }
  }

  /** Sends a turn's worth of a lane. Answers whether more could be sent. */
  #sendSome(lane: Lane, flight: Flight): boolean {
    for (let turn = 0; turn < TURN && this.#inFlight < this.#limits.window && !flight.isRetired; turn++) {
      const entry = lane.shift()
      if (entry === undefined) break
      this.#send(entry, flight)
    }
    if (lane.size > 0) return true
    this.#lanes.rest(lane)
    return false
  }

  #send(entry: Entry, flight: Flight): void {
    try {
      entry.sentAt = this.#options.clock.now()
      flight.send(entry)
      this.#inFlight += 1
    } catch (error) {
      if (error instanceof RangeError || error instanceof TypeError) {
        this.#settle(entry, unencodable(entry, error))
        return
      }
      // the channel closed a moment ago; its loss is on the way to us
      flight.isRetired = true
      this.#lanes.putBack([entry])
    }
  }

  async #prepare(lane: Lane, session: Session): Promise<void> {
    lane.isHeld = true
    try {
      await this.#declarer.route(session, lane.queue, lane.level)
      lane.isReady = true
      lane.isHeld = false
      lane.trouble = undefined
      this.#pump()
    } catch (error) {
      lane.trouble = error
      const isFinal = error instanceof ErrandError && error.code === 'BROKER_REFUSED'
      if (isFinal) for (const entry of lane.take(() => true)) this.#settle(entry, error)
      this.#options.log.warn(`RabbitMQ: the queue "${lane.queue}" cannot be prepared (${reasonOf(error)}).`)
      this.#hold(lane)
    }
  }

  #sweepLater(): void {
    this.#isSweeping = true
    this.#later(Math.min(1000, Math.max(20, this.#options.confirmTimeoutMs / 20)), () => this.#sweep())
  }

  /** Rejects what is past its deadline, and gives up a connection on which no confirm comes any more. */
  #sweep(): void {
    this.#isSweeping = false
    const now = this.#options.clock.now()
    for (const entry of this.#takeAll((waiting) => now >= waiting.deadline)) this.#settle(entry, late(entry, this.#link, this.#options.confirmTimeoutMs))
    for (const flight of this.#flights) this.#unstall(flight, now)
    if (this.#held > 0 && !this.#isSweeping) this.#sweepLater()
  }

  /**
   * After the restart of a server a channel may stay without confirms for one queue for ever, while a new one works. And a node
   * that lost its majority accepts connections and confirms nothing, where another node may.
   */
  #unstall(flight: Flight, now: number): void {
    if (flight.session.blockedBy !== undefined) flight.openSince = now
    const oldest = flight.oldest
    const stallMs = Math.min(LONGEST_STALL_MS, this.#options.confirmTimeoutMs / 2)
    if (oldest === undefined || now - Math.max(oldest.sentAt, flight.openSince) < stallMs) return
    if (oldest.isStalled) flight.session.abandon('it confirmed nothing any more')
    else void flight.close()
    oldest.isStalled = true
  }

  #takeAll(isWanted: (entry: Entry) => boolean): readonly Entry[] {
    const sent = [...this.#flights].flatMap((flight) => flight.take(isWanted))
    this.#inFlight -= sent.length
    return [...sent, ...this.#lanes.take(isWanted)]
  }

  #settle(entry: Entry, error?: unknown): void {
    this.#held -= 1
    this.#heldBytes -= entry.publication.body.length
    if (error === undefined) entry.resolve()
    else entry.reject(error)
    if (this.#held === 0) this.#onEmpty?.()
  }

  #later(ms: number, run: () => void): void {
    outside(() => this.#options.clock.after(ms, run))
  }
}
