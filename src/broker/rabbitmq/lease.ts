import type { Channel } from 'amqplib'
import { Acknowledger } from './acknowledger.js'
import type { Session } from './session.js'

/** One channel with one consumer on it; everything delivered there is settled there or not at all. */
export class Lease {
  readonly session: Session
  readonly channel: Channel
  readonly acks: Acknowledger
  consumerTag = ''
  isOver = false
  #closing: Promise<void> | undefined

  constructor(session: Session, channel: Channel, onStale: () => void) {
    this.session = session
    this.channel = channel
    this.acks = new Acknowledger(channel, onStale)
  }

  /**
   * Closes the channel and waits for the answer: only that says that the server has heard the acknowledgements. The end of the
   * connection, sent on a channel of its own, would overtake them.
   */
  close(): Promise<void> {
    this.acks.flush()
    this.#closing ??= this.session.closeChannel(this.channel)
    return this.#closing
  }
}
