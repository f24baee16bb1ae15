import type { ConfirmChannel, Message } from 'amqplib'
import { propertiesOf } from '../message/publication.js'
import { sizeLimitIn } from '../link/errors.js'
import type { Entry, Lane } from './lane.js'
import type { Session } from '../link/session.js'

export interface FlightEvents {
  /** The server has the message, or has refused it. */
  settled(entry: Entry, flight: Flight, isRefused: boolean): void
  /** The server has a message that was given up on this channel before. */
  confirmedLate(entry: Entry): void
  /** The server takes no message of that size: it closed the channel for it. */
  tooLarge(entry: Entry, limit: number): void
  /** The channel is gone; these left on it and their fate is unknown, oldest first. */
  lost(flight: Flight, entries: readonly Entry[]): void
}

/** One confirm channel and the messages on it that are not confirmed yet. */
export class Flight {
  readonly session: Session
  /** The only lane that sends on it; none for the channel that the lanes share. */
  readonly lane: Lane | undefined
  /** Nothing more is sent on it: a channel that refused once may refuse for ever. */
  isRetired = false
  /** Milliseconds since the epoch from when on confirms can be expected: the server was not blocked. */
  openSince: number
  /** Milliseconds since the epoch of the last confirm or refusal on it. */
  answeredAt = 0
  readonly #channel: ConfirmChannel
  readonly #events: FlightEvents
  readonly #entries = new Set<Entry>()
  /** Sent on it, and sent again elsewhere since no confirm came. */
  readonly #givenUp = new Set<Entry>()
  #sizeLimit = Infinity

  constructor(channel: ConfirmChannel, events: FlightEvents, of: { session: Session; lane: Lane | undefined; now: number }) {
    this.session = of.session
    this.lane = of.lane
    this.#channel = channel
    this.#events = events
    this.openSince = of.now
    channel.on('return', (message) => this.#returned(message))
    channel.on('error', (error) => (this.#sizeLimit = sizeLimitIn(error)))
    // ahead of the client library's own listener, which would tell every message that it failed
    channel.prependListener('close', () => this.#closed())
  }

  get size(): number {
    return this.#entries.size
  }

  /** Nothing is expected of it any more. */
  get isDone(): boolean {
    return this.isRetired && this.size === 0 && [...this.#givenUp].every((entry) => entry.isSettled)
  }

  /** The lanes with a message that left before `time`. */
  lanesWaitingSince(time: number): ReadonlySet<Lane> {
    const lanes = new Set<Lane>()
    if (this.openSince > time) return lanes
    for (const { lane, sentAt } of this.#entries) {
      if (sentAt > time) break
      lanes.add(lane)
    }
    return lanes
  }

  /** Sends one message; throws what the client library throws when it cannot encode it or the channel is closed. */
  send(entry: Entry): void {
    const { publication, route } = entry
    entry.isReturned = false
    this.#channel.publish(route.exchange, route.routingKey, publication.body, propertiesOf(publication), (error: unknown) => {
      if (this.drop(entry)) this.#events.settled(entry, this, error !== null)
      else if (this.#givenUp.delete(entry) && error === null) this.#events.confirmedLate(entry)
    })
    this.#entries.add(entry)
    entry.lane.inFlight += 1
    entry.lane.sentOn = this
    entry.isSent = true
  }

  /** Forgets a message; answers whether it was under way. */
  drop(entry: Entry): boolean {
    if (!this.#entries.delete(entry)) return false
    entry.lane.inFlight -= 1
    return true
  }

  /** Takes out the entries of which `isWanted` says so; what the server says of them later is not heard. */
  take(isWanted: (entry: Entry) => boolean): readonly Entry[] {
    const taken = [...this.#entries].filter(isWanted)
    for (const entry of taken) this.drop(entry)
    return taken
  }

  /** Takes out what waits of a lane, to be sent elsewhere; a confirm that comes after all is still heard. */
  giveUp(lane: Lane): readonly Entry[] {
    const taken = this.take((entry) => entry.lane === lane)
    for (const entry of taken) this.#givenUp.add(entry)
    return taken
  }

  async close(): Promise<void> {
    await this.session.closeChannel(this.#channel)
  }

  #returned(message: Message): void {
    // rare, so that a search costs less than an index kept for every message
    const isIt = (entry: Entry): boolean => entry.publication.id === message.properties.messageId
    const found = [...this.#entries].find((entry) => isIt(entry) && !entry.isReturned)
    if (found !== undefined) found.isReturned = true
    // the confirm that follows does not mean that it is stored
    for (const entry of this.#givenUp) if (isIt(entry)) this.#givenUp.delete(entry)
  }

  #closed(): void {
    this.isRetired = true
    // sent again, it would close the next channel as well
    for (const entry of this.take(({ publication }) => publication.body.length > this.#sizeLimit)) this.#events.tooLarge(entry, this.#sizeLimit)
    this.#events.lost(this, this.take(() => true))
  }
}
