import { ErrandError } from '../../errors.js'
import type { Delivery, OutgoingMessage } from '../broker.js'

/** The queue of the local broker in which messages wait for the remote one. */
export const OUTBOX = 'outbox'

/** What stands in front of the body of a message that is kept. */
interface Head {
  readonly queue: string
  readonly attempt: number | undefined
  readonly priority: number | undefined
  /** Milliseconds since the epoch, 0 for at once: a delay goes on while the message is kept. */
  readonly due: number
}

const LENGTH_BYTES = 4

/** When a message that is published now is due. */
export const dueOf = ({ delayMs = 0 }: OutgoingMessage, now: number): number => (delayMs > 0 ? now + Math.ceil(delayMs) : 0)

/** The same message with what is left of its delay. */
export const dueAt = (message: OutgoingMessage, due: number, now: number): OutgoingMessage => ({ ...message, delayMs: Math.max(0, due - now) })

/** `message` as the local broker keeps it. All of them have one priority there, so that they leave in the order they came. */
export function toSpooled({ id, queue, attempt, priority, body }: OutgoingMessage, due: number): OutgoingMessage {
  const head = Buffer.from(JSON.stringify({ queue, attempt, priority, due } satisfies Head))
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeUInt32BE(head.length)
  return { id, queue: OUTBOX, body: Buffer.concat([length, head, body]) }
}

/** The message that was kept. @throws ErrandError `MESSAGE_MALFORMED` */
export function fromSpooled({ id, body }: Pick<Delivery, 'id' | 'body'>, now: number): OutgoingMessage {
  const end = body.length < LENGTH_BYTES ? Infinity : LENGTH_BYTES + body.readUInt32BE(0)
  if (end > body.length) throw unreadable(id)
  const { queue, attempt, priority, due } = parseHead(id, body.toString('utf8', LENGTH_BYTES, end))
  return dueAt({ id, queue, attempt, priority, body: body.subarray(end) }, due, now)
}

function parseHead(id: string, text: string): Head {
  try {
    const head: unknown = JSON.parse(text)
    if (typeof head === 'object' && head !== null && 'queue' in head && typeof head.queue === 'string' && 'due' in head) {
      return { queue: head.queue, due: Number(head.due) || 0, attempt: numberIn(head, 'attempt'), priority: numberIn(head, 'priority') }
    }
  } catch {
    // told below
  }
  throw unreadable(id)
}

function numberIn(head: object, name: string): number | undefined {
  const value: unknown = Reflect.get(head, name)
  return typeof value === 'number' ? value : undefined
}

function unreadable(id: string): ErrandError {
  return new ErrandError('MESSAGE_MALFORMED', `Message ${id} of the outbox is not in the form this version writes. Send it with the version that kept it.`)
}
