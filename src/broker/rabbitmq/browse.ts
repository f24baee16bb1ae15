import type { Channel, ConsumeMessage } from 'amqplib'
import { ErrandError } from '../../errors.js'
import type { Delivery, OutgoingMessage, Visit } from '../broker.js'
import { toDelivery, watchOf } from './message/delivery.js'
import { isRefusal, reasonOf, REPLY, replyCodeOf, toErrandError } from './link/errors.js'
import type { Session } from './link/session.js'
import { isDead } from './topology/topology.js'

/**
 * Messages are taken in portions: more at a time would fill the memory of this process. More than thirty portions a server before
 * 4 puts back in any order.
 */
const LEAST_PORTION = 500
const MOST_PORTIONS = 30
const LARGEST_PREFETCH = 65_535

/** The server sends and puts back within milliseconds. Where others consume the queue as well, some of what is expected never comes. */
const WAIT_MS = 10
const MOST_WAITS = 100
/** A server that is busy takes longer: as long as nobody else can have what is expected, it is waited for so many times as long. */
const BUSY = 10

/** The queue that is looked at, by our name and by the server's. */
export interface Browsed {
  readonly queue: string
  readonly nameOnServer: string
  /** For messages: what fails when the connection does. */
  readonly what: string
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
    for await (const message of look.messages()) {
      const visited = await visit(toDelivery(browsed.queue, message))
      if (visited.kind === 'stop') break
      if (visited.kind === 'keep') continue
      if (visited.kind === 'replace') await publish(visited.message)
      look.remove(message)
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
  /** Taken, and not removed. */
  #inHand = 0

  constructor(session: Session, channel: Channel, browsed: Browsed) {
    this.#session = session
    this.#channel = channel
    this.#browsed = browsed
  }

  /** No more than lie there at the beginning: what comes meanwhile would keep this going for ever. */
  async *messages(): AsyncGenerator<ConsumeMessage> {
    const all = await this.#count()
    const portion = Math.min(LARGEST_PREFETCH, Math.max(LEAST_PORTION, Math.ceil(all / MOST_PORTIONS)))
    for (let seen = 0; seen < all; seen += portion) {
      const some = await this.#take(Math.min(portion, all - seen), `look.${String(seen).padStart(10, '0')}`)
      for (const message of some) {
        // watch copies are no messages to anybody but the driver
        if (isDead(this.#browsed.queue) || watchOf(message) === undefined) yield message
      }
      if (some.length === 0) return
    }
  }

  remove(message: ConsumeMessage): void {
    this.#tell(() => this.#channel.ack(message))
    this.#inHand -= 1
  }

  /** Puts back what stays, and waits until it is there: the next look would find only a part. */
  async end(): Promise<void> {
    const others = await this.#count()
    // returned one by one it would come back in another order, from servers before 4. And only an answer says that the server has heard what is to go
    await this.#answer(this.#channel.close())
    await this.#waitFor(async () => (await this.#count()) >= others + this.#inHand, async () => (await this.#ask()).consumerCount > 0)
  }

  /** The next `count` messages, fewer when there are no more. */
  async #take(count: number, consumerTag: string): Promise<readonly ConsumeMessage[]> {
    const taken: ConsumeMessage[] = []
    let isEnded = false
    const keep = (message: ConsumeMessage | null): void => {
      if (message === null) isEnded = true
      else taken.push(message)
    }
    await this.#answer(this.#channel.prefetch(count))
    await this.#answer(this.#channel.consume(this.#browsed.nameOnServer, keep, { consumerTag }))
    const isHere = (): boolean => taken.length === count || isEnded || !this.#session.isUp
    await this.#waitFor(isHere, async () => (await this.#count()) === 0)
    await this.#answer(this.#channel.cancel(consumerTag))
    this.#inHand += taken.length
    return taken
  }

  /** Until `condition` holds, or has not for a while and what is expected went elsewhere. */
  async #waitFor(condition: () => boolean | Promise<boolean>, isElsewhere: () => Promise<boolean>): Promise<void> {
    for (let waits = 1; waits <= BUSY * MOST_WAITS && !(await condition()); waits++) {
      if (waits % MOST_WAITS === 0 && (await isElsewhere())) return
      await new Promise((resolve) => setTimeout(resolve, WAIT_MS))
    }
  }

  async #count(): Promise<number> {
    return (await this.#ask()).messageCount
  }

  async #ask(): Promise<{ readonly messageCount: number; readonly consumerCount: number }> {
    try {
      return await this.#session.statement((channel) => channel.checkQueue(this.#browsed.nameOnServer))
    } catch (error) {
      // not declared yet: nothing can lie in it
      if (replyCodeOf(error) === REPLY.notFound) return { messageCount: 0, consumerCount: 0 }
      throw this.#lost(error)
    }
  }

  #tell(send: () => void): void {
    try {
      if (!this.#session.isUp) throw new ErrandError('BROKER_UNREACHABLE', 'the connection was lost.')
      send()
    } catch (error) {
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
