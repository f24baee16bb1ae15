import type { Channel, GetMessage } from 'amqplib'
import { ErrandError } from '../../errors.js'
import type { Delivery, OutgoingMessage, Visit } from '../broker.js'
import { toDelivery, watchOf } from './delivery.js'
import { isRefusal, reasonOf, REPLY, replyCodeOf, toErrandError } from './errors.js'
import type { Session } from './session.js'
import { isDead } from './topology.js'

/** What comes back in a larger number at once, a server before 4 puts back in any order: from 32 on it gathers them. */
const AT_ONCE = 16

/** Putting back takes the server milliseconds. Where somebody else consumes the queue, it never gets as long again as it was. */
const WAIT_MS = 5
const MOST_WAITS = 100

/** The queue that is looked at, by our name and by the server's. */
export interface Browsed {
  readonly queue: string
  readonly nameOnServer: string
  /** For messages: what fails when the connection does. */
  readonly what: string
}

/** A message that is looked at. */
interface Seen {
  readonly message: GetMessage
  readonly delivery: Delivery
}

/**
 * Shows the messages that lie in a queue now to `visit`, each once. All of them are in hand until the end, when what stays goes
 * back in its old place: that is how the server shows a message only once. The channel is for this alone, so that whatever happens
 * to it puts every message back.
 */
export async function browse(
  session: Session,
  browsed: Browsed,
  visit: (delivery: Delivery) => Visit | Promise<Visit>,
  publish: (message: OutgoingMessage) => Promise<void>,
): Promise<void> {
  const look = new Look(session, await session.channel(), browsed)
  try {
    for await (const seen of look.messages()) {
      const visited = await visit(seen.delivery)
      if (visited.kind === 'stop') break
      if (visited.kind === 'keep') continue
      if (visited.kind === 'replace') await publish(visited.message)
      look.remove(seen)
    }
  } catch (error) {
    // the connection may be what failed; then the server puts everything back by itself
    await look.end().catch(() => {})
    throw error
  }
  await look.end()
}

class Look {
  readonly #session: Session
  readonly #channel: Channel
  readonly #browsed: Browsed
  /** What stays, in order. */
  readonly #inHand = new Set<GetMessage>()
  /** How many lay in the queue beside those in hand, when it was last asked. */
  #others = 0

  constructor(session: Session, channel: Channel, browsed: Browsed) {
    this.#session = session
    this.#channel = channel
    this.#browsed = browsed
  }

  /** No more than lie there at the beginning: what comes meanwhile would keep this going for ever. */
  async *messages(): AsyncGenerator<Seen> {
    const { queue, nameOnServer } = this.#browsed
    for (let left = await this.#count(); left > 0; left--) {
      const message = await this.#answer(this.#channel.get(nameOnServer))
      this.#others = message === false ? 0 : message.fields.messageCount
      if (message === false) return
      this.#inHand.add(message)
      // watch copies are no messages to anybody but the driver
      if (isDead(queue) || watchOf(message) === undefined) yield { message, delivery: toDelivery(queue, message) }
    }
  }

  remove({ message }: Seen): void {
    if (!this.#session.isUp) throw this.#lost(new ErrandError('BROKER_UNREACHABLE', 'the connection was lost'))
    this.#tell(() => this.#channel.ack(message))
    this.#inHand.delete(message)
  }

  /** Puts back what stays, in its old order, and waits until it is there: the next look would find only a part. */
  async end(): Promise<void> {
    const kept = [...this.#inHand]
    let isInTime = this.#session.isUp
    for (let back = 0; isInTime && back < kept.length; back += AT_ONCE) {
      const some = kept.slice(back, back + AT_ONCE)
      for (const message of some) this.#tell(() => this.#channel.nack(message, false, true))
      isInTime = await this.#holds(this.#others + back + some.length)
    }
    // only an answer says that the server has heard what is to go; what is still in hand goes back with the channel
    await this.#answer(this.#channel.close())
  }

  /** Whether the queue has so many messages soon. */
  async #holds(expected: number): Promise<boolean> {
    for (let waits = 0; waits < MOST_WAITS; waits++) {
      if ((await this.#count()) >= expected) return true
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS))
    }
    return false
  }

  #tell(send: () => void): void {
    try {
      send()
    } catch (error) {
      throw this.#lost(error)
    }
  }

  async #count(): Promise<number> {
    try {
      const { messageCount } = await this.#session.statement((channel) => channel.checkQueue(this.#browsed.nameOnServer))
      return messageCount
    } catch (error) {
      // not declared yet: nothing can lie in it
      if (replyCodeOf(error) === REPLY.notFound) return 0
      throw this.#lost(error)
    }
  }

  async #answer<T>(asked: Promise<T>): Promise<T> {
    try {
      return await this.#session.bounded(asked)
    } catch (error) {
      throw this.#lost(error)
    }
  }

  #lost(error: unknown): ErrandError {
    const { what } = this.#browsed
    if (isRefusal(error)) return toErrandError(what, error)
    const why = `${what}: ${reasonOf(error)} Nothing is lost: what was to go may still be there. Look again.`
    return new ErrandError('BROKER_UNREACHABLE', why, { cause: error })
  }
}
