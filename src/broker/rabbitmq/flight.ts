import type { ConfirmChannel, Message } from 'amqplib'
import { propertiesOf } from './publication.js'
import type { Entry } from './lane.js'
import type { Session } from './session.js'

export interface FlightEvents {
  /** The server has the message, or has refused it. */
  settled(entry: Entry, flight: Flight, isRefused: boolean): void
  /** The channel is gone; these left on it and their fate is unknown, oldest first. */
  lost(flight: Flight, entries: readonly Entry[]): void
}

/** One confirm channel and the messages on it that are not confirmed yet. */
export class Flight {
  readonly session: Session
  /** Nothing more is sent on it: a channel that refused once may refuse for ever. */
  isRetired = false
  /** Milliseconds since the epoch from when on confirms can be expected: the server was not blocked. */
  openSince: number
  readonly #channel: ConfirmChannel
  readonly #events: FlightEvents
  readonly #entries = new Set<Entry>()

  constructor(session: Session, channel: ConfirmChannel, events: FlightEvents, now: number) {
    this.session = session
    this.#channel = channel
    this.#events = events
    this.openSince = now
    channel.on('return', (message) => this.#returned(message))
    // ahead of the client library's own listener, which would tell every message that it failed
    channel.prependListener('close', () => this.#closed())
  }

  get size(): number {
    return this.#entries.size
  }

  /** The message that waits longest for its confirm. */
  get oldest(): Entry | undefined {
    const [oldest] = this.#entries
    return oldest
  }

  /** Sends one message; throws what the client library throws when it cannot encode it or the channel is closed. */
  send(entry: Entry): void {
    const { publication, route } = entry
    entry.isReturned = false
    this.#channel.publish(route.exchange, route.routingKey, publication.body, propertiesOf(publication), (error: unknown) => {
      if (!this.#entries.delete(entry)) return
      this.#events.settled(entry, this, error !== null)
    })
    this.#entries.add(entry)
    entry.isSent = true
  }

  /** Takes out the entries of which `isWanted` says so; what the server says of them later is not heard. */
  take(isWanted: (entry: Entry) => boolean): readonly Entry[] {
    const taken = [...this.#entries].filter(isWanted)
    for (const entry of taken) this.#entries.delete(entry)
    return taken
  }

  async close(): Promise<void> {
    await this.session.closeChannel(this.#channel)
  }

  #returned(message: Message): void {
    // rare, so that a search costs less than an index kept for every message
    for (const entry of this.#entries) {
      if (entry.publication.id !== message.properties.messageId || entry.isReturned) continue
      entry.isReturned = true
      return
    }
  }

  #closed(): void {
    this.isRetired = true
    const entries = this.take(() => true)
    this.#events.lost(this, entries)
  }
}
