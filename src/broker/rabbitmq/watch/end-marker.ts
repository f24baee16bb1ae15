import { REPLY, replyCodeOf } from '../link/errors.js'
import type { Session } from '../link/session.js'
import type { QueueStatement } from '../topology/topology.js'

/** Says, over the end of every process and server, that a run is over. Asked for again it is there all the same. */
export async function setEndMarker(session: Session, marker: QueueStatement): Promise<void> {
  const { name, durable, arguments: args } = marker
  try {
    await session.statement((channel) => channel.assertQueue(name, { durable, arguments: args }))
  } catch (error) {
    // there, but declared with the queue type of another configuration: that it is there is all that counts
    if (replyCodeOf(error) !== REPLY.precondition) throw error
  }
}

export async function hasEndMarker(session: Session, marker: QueueStatement): Promise<boolean> {
  try {
    await session.statement((channel) => channel.checkQueue(marker.name))
    return true
  } catch (error) {
    if (replyCodeOf(error) === REPLY.notFound) return false
    throw error
  }
}

export async function removeEndMarker(session: Session, marker: QueueStatement): Promise<void> {
  await session.statement((channel) => channel.deleteQueue(marker.name))
}
