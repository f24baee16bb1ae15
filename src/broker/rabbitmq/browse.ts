import type { Channel, GetMessage } from 'amqplib'
import { ErrandError } from '../../errors.js'
import type { Delivery, OutgoingMessage, Visit } from '../broker.js'
import { toDelivery, watchOf } from './delivery.js'
import { isRefusal, reasonOf, REPLY, replyCodeOf, toErrandError } from './errors.js'
import type { Session } from './session.js'
import { isDead } from './topology.js'

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
    await look.abort()
    throw error
  }
  await look.end()
}

class Look {
  readonly #session: Session
  readonly #channel: Channel
  readonly #browsed: Browsed

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
      if (message === false) return
      // watch copies are no messages to anybody but the driver
      if (isDead(queue) || watchOf(message) === undefined) yield { message, delivery: toDelivery(queue, message) }
    }
  }

  remove({ message }: Seen): void {
    if (!this.#session.isUp) throw this.#lost(new ErrandError('BROKER_UNREACHABLE', 'the connection was lost'))
    try {
      this.#channel.ack(message)
    } catch (error) {
      throw this.#lost(error)
    }
  }

  /** Puts back what stays. Only the answer says that the server has heard what is to go. */
  async end(): Promise<void> {
    await this.#answer(this.#channel.close())
  }

  async abort(): Promise<void> {
    await this.#session.closeChannel(this.#channel)
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
