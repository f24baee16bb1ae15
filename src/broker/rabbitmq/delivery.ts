import type { ConsumeMessage, GetMessage } from 'amqplib'
import type { Delivery } from '../broker.js'
import { NORMAL_PRIORITY, type Publication } from './publication.js'
import { isDead } from './topology.js'

/** A message of the server as the port hands it out. */
export function toDelivery(queue: string, message: ConsumeMessage | GetMessage): Delivery {
  const { properties, content: body, fields } = message
  const headers = properties.headers ?? {}
  // dead letters are looked at and put back: that is no run
  const losses = isDead(queue) ? 0 : lossesOf(headers['x-delivery-count'], fields.redelivered)
  return {
    id: typeof properties.messageId === 'string' ? properties.messageId : '',
    queue,
    body,
    attempt: countOf(headers['attempt'], 1) + losses,
    crashes: countOf(headers['crashes'], 0) + losses,
    priority: typeof properties.priority === 'number' ? properties.priority : NORMAL_PRIORITY,
    ...noteOf(queue, headers),
  }
}

/** The next run of a delivery. Only our own headers go along: servers read the traces of earlier dead-lettering in a copy. */
export const nextAttempt = (delivery: Delivery, delayMs: number, note = delivery.note): Publication => ({
  ...copyOf(delivery),
  attempt: delivery.attempt + 1,
  delayMs,
  note,
})

/** A delivery that did not run: it comes again as it is. */
export const sameAttempt = (delivery: Delivery, delayMs = 0): Publication => ({ ...copyOf(delivery), delayMs })

/** The dead letter of a delivery, bytes unchanged. */
export const deadLetter = (delivery: Delivery, queue: string, note: string): Publication => ({ ...copyOf(delivery), queue, note })

function copyOf({ id, queue, body, attempt, crashes, priority, note }: Delivery): Publication {
  return { id, queue, body, attempt, crashes, priority, note }
}

/** Quorum queues count deliveries that were not settled; classic ones only tell that there was one. */
function lossesOf(count: unknown, isRedelivered: boolean): number {
  return typeof count === 'number' ? countOf(count, 0) : Number(isRedelivered)
}

const countOf = (value: unknown, otherwise: number): number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= otherwise ? value : otherwise

function noteOf(queue: string, headers: Readonly<Record<string, unknown>>): { note?: string } {
  if (typeof headers['note'] === 'string') return { note: headers['note'] }
  if (!isDead(queue)) return {}
  const reason = headers['x-first-death-reason']
  return { note: `RabbitMQ moved it here${typeof reason === 'string' ? ` (${reason})` : ''}: it was handed out too often without an outcome.` }
}
