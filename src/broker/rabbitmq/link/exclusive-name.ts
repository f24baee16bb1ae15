import { createHash } from 'node:crypto'
import { REPLY, replyCodeOf } from './errors.js'
import type { Session } from './session.js'

/**
 * Takes `name` for this connection; `false` where another connection has it. The name is an exclusive queue, which exists exactly
 * as long as its connection: whoever dies lets go without having to say so. Asked again by the connection that has it: `true`.
 */
export async function takeName(session: Session, name: string): Promise<boolean> {
  try {
    await session.statement((channel) =>
      channel.assertQueue(name, { durable: false, exclusive: true, autoDelete: false, arguments: { 'x-queue-type': 'classic' } }),
    )
    return true
  } catch (error) {
    if (replyCodeOf(error) === REPLY.locked) return false
    throw error
  }
}

/** Lets go of `name`. Where the connection is lost, or does not answer and is given up, the name goes with it. */
export async function dropName(session: Session, name: string): Promise<void> {
  if (!session.isUp) return
  try {
    await session.statement((channel) => channel.deleteQueue(name))
  } catch (error) {
    // a closed channel says that the server answered, so it is not ours; anything else leaves it ours for as long as this stands
    if (replyCodeOf(error) === undefined) session.abandon('it did not answer the deletion of an exclusive queue')
  }
}

/** Any text as a word of one length that a queue name may contain. */
export const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64url')
