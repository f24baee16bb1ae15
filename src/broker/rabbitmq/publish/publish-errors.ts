import { ErrandError } from '../../../errors.js'
import type { Link } from '../link/connection.js'
import { reasonOf } from '../link/errors.js'
import type { Entry } from './lane.js'
import type { Publication } from '../message/publication.js'

/** Newer servers close the channel over larger messages, with everything that is under way on it. */
const LARGEST_BODY = 16 * 1024 * 1024

export const publishing = (entry: Entry): string => `Cannot publish message ${entry.publication.id} to "${entry.publication.queue}"`

/** The refusal of a message that is larger than `limit`, by default what every server takes. */
export function tooLarge({ body, queue }: Publication, limit = LARGEST_BODY): ErrandError | undefined {
  if (body.length <= limit) return undefined
  const why = `the message has ${body.length} bytes, and RabbitMQ takes ${limit}. Send a reference to the data instead.`
  return new ErrandError('PAYLOAD_TOO_LARGE', `Cannot publish to "${queue}": ${why}`)
}

export function bufferFull(queue: string, held: number): ErrandError {
  const why = `${held} messages wait for RabbitMQ already. Call less at a time, or wait for earlier calls first.`
  return new ErrandError('QUEUE_FULL', `Cannot publish to "${queue}": ${why}`)
}

export function unroutable(entry: Entry): ErrandError {
  const why = entry.lane.isTemporary ? 'the process that waited for it is gone' : 'RabbitMQ has no queue for it, also after it was declared again'
  return new ErrandError('PUBLISH_UNROUTABLE', `${publishing(entry)}: ${why}. The message is not stored.`)
}

export function unencodable(entry: Entry, error: unknown): ErrandError {
  return new ErrandError('CALL_INVALID', `${publishing(entry)}: ${reasonOf(error)}.`, { cause: error })
}

/** Why an entry is given up with the connection, and whether the server may have it. */
export function cutOff(entry: Entry, link: Link): ErrandError {
  const what = publishing(entry)
  if (!entry.isSent) return link.unreachable(what)
  const why = 'the connection to RabbitMQ was lost before it was confirmed; whether it is stored is unknown. Sent again it may run twice.'
  return new ErrandError('PUBLISH_TIMEOUT', `${what}: ${why}`)
}

/** Why an entry is given up at its deadline, and whether the server may have it. */
export function late(entry: Entry, link: Link, timeoutMs: number): ErrandError {
  const what = publishing(entry)
  const cause = entry.lane.trouble === undefined ? {} : { cause: entry.lane.trouble }
  if (entry.refusals > 0) {
    const why = `RabbitMQ refused it ${entry.refusals} times within ${timeoutMs} ms: the queue is full, or has no leader.`
    return new ErrandError('QUEUE_FULL', `${what}: ${why}`, cause)
  }
  const blocked = link.session?.blockedBy
  const alarm = blocked === undefined ? '' : ` RabbitMQ takes no messages at the moment: ${blocked}.`
  if (entry.isSent) {
    const reason = alarm === '' && entry.lane.isApart ? ' Its queue confirms nothing at the moment, as one without a leader.' : alarm
    const why = `RabbitMQ did not confirm it within ${timeoutMs} ms; whether it is stored is unknown.${reason} Sent again it may run twice.`
    return new ErrandError('PUBLISH_TIMEOUT', `${what}: ${why}`, cause)
  }
  if (link.session === undefined) return link.unreachable(what)
  return new ErrandError('BROKER_UNREACHABLE', `${what}: it could not be sent within ${timeoutMs} ms.${alarm} It is not stored.`, cause)
}
