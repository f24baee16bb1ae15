import type { Channel, GetMessage } from 'amqplib'
import type { Delivery, OutgoingMessage, Visit } from '../broker.js'
import { toDelivery } from './delivery.js'
import { REPLY, replyCodeOf } from './errors.js'
import type { Session } from './session.js'

/** The queue that is looked at, by our name and by the server's. */
export interface Browsed {
  readonly queue: string
  readonly nameOnServer: string
}

/**
 * Shows the messages of a queue to `visit`, each once. All of them are in hand until the end, when what stays goes back in its
 * old place: that is how the server shows a message only once. The channel is for this alone, so that whatever happens to it
 * puts every message back.
 */
export async function browse(
  session: Session,
  { queue, nameOnServer }: Browsed,
  visit: (delivery: Delivery) => Visit | Promise<Visit>,
  publish: (message: OutgoingMessage) => Promise<void>,
): Promise<void> {
  const channel = await session.channel()
  const kept: GetMessage[] = []
  try {
    for (;;) {
      const message = await next(session, channel, nameOnServer)
      if (message === undefined) return
      kept.push(message)
      const visited = await visit(toDelivery(queue, message))
      if (visited.kind === 'stop') return
      if (visited.kind === 'keep') continue
      if (visited.kind === 'replace') await publish(visited.message)
      channel.ack(message)
      kept.pop()
    }
  } finally {
    putBack(channel, kept)
    await session.closeChannel(channel)
  }
}

/** One by one, the first one first: a channel that closes puts back what it had in no order. */
function putBack(channel: Channel, kept: readonly GetMessage[]): void {
  try {
    for (const message of kept) channel.nack(message, false, true)
  } catch {
    // the channel is gone, and with that they are back
  }
}

async function next(session: Session, channel: Channel, name: string): Promise<GetMessage | undefined> {
  try {
    const message = await session.bounded(channel.get(name))
    return message === false ? undefined : message
  } catch (error) {
    // not declared yet: nothing can lie in it
    if (replyCodeOf(error) === REPLY.notFound) return undefined
    throw error
  }
}
