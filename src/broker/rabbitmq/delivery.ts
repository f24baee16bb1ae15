import type { ConsumeMessage } from 'amqplib'
import type { Delivery } from '../broker.js'
import { NORMAL_PRIORITY, type Publication } from './publication.js'
import { isDead } from './topology.js'

/** A message of the server as the port hands it out. */
export function toDelivery(queue: string, message: ConsumeMessage): Delivery {
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
    ...(isDead(queue) ? { note: noteOf(headers) } : {}),
  }
}

/** The next run of a delivery. Only our own headers go along: servers read the traces of earlier dead-lettering in a copy. */
export const nextAttempt = (delivery: Delivery, delayMs: number): Publication => ({
  ...copyOf(delivery),
  attempt: delivery.attempt + 1,
  delayMs,
})

/** A delivery that did not run, for servers that would count its return as a lost run. */
export const sameAttempt = (delivery: Delivery): Publication => copyOf(delivery)

/** The dead letter of a delivery, bytes unchanged. */
export const deadLetter = (delivery: Delivery, queue: string, note: string): Publication => ({ ...copyOf(delivery), queue, note })

function copyOf({ id, queue, body, attempt, crashes, priority }: Delivery): Publication {
  return { id, queue, body, attempt, crashes, priority }
}

/** Quorum queues count deliveries that were not settled; classic ones only tell that there was one. */
function lossesOf(count: unknown, isRedelivered: boolean): number {
  return typeof count === 'number' ? countOf(count, 0) : Number(isRedelivered)
}

const countOf = (value: unknown, otherwise: number): number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= otherwise ? value : otherwise

function noteOf(headers: Readonly<Record<string, unknown>>): string {
  if (typeof headers['note'] === 'string') return headers['note']
  const reason = headers['x-first-death-reason']
  return `RabbitMQ moved it here${typeof reason === 'string' ? ` (${reason})` : ''}: it was handed out too often without an outcome.`
}
