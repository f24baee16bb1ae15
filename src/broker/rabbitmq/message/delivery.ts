import type { ConsumeMessage, GetMessage } from 'amqplib'
import type { Delivery } from '../../broker.js'
import { NORMAL_PRIORITY, type Publication, type Watch } from './publication.js'
import { isDead } from '../topology/topology.js'

/** A message of the server as the port hands it out. */
export function toDelivery(queue: string, message: ConsumeMessage | GetMessage): Delivery {
  const { properties, content: body, fields } = message
  const headers = properties.headers ?? {}
  // dead letters are looked at and put back, watch copies are passed on: that is no run
  const losses = isDead(queue) || watchOf(message) !== undefined ? 0 : lossesOf(headers, fields.redelivered)
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

/** What it watches, when it is a watch copy. */
export function watchOf({ properties }: ConsumeMessage | GetMessage): Watch | undefined {
  const headers: Readonly<Record<string, unknown>> = properties.headers ?? {}
  const { watch: key, 'watch-state': state } = headers
  if (typeof key !== 'string') return undefined
  return { key, state: state === 'missing' || state === 'cleared' ? state : 'looking' }
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

/** The run after one whose process is gone, or may as well be. */
export const afterLoss = (delivery: Delivery, delayMs = 0): Publication => ({
  ...nextAttempt(delivery, delayMs),
  crashes: delivery.crashes + 1,
})

/** A copy that is delivered after `delayMs` to look after the run. */
export const watchCopy = (delivery: Delivery, delayMs: number, watch: Watch): Publication => ({ ...copyOf(delivery), delayMs, watch })

/** The dead letter of a delivery, bytes unchanged. */
export const deadLetter = (delivery: Delivery, queue: string, note: string): Publication => ({ ...copyOf(delivery), queue, note })

function copyOf({ id, queue, body, attempt, crashes, priority, note }: Delivery): Publication {
  return { id, queue, body, attempt, crashes, priority, note }
}

/**
 * Runs that were lost without a verdict. Quorum queues count them in `x-delivery-count`, and from 4.3 on in `x-acquired-count` all
 * hand-outs, polite returns included; a header that is absent there says none. Classic queues only tell that there was a hand-out.
 */
function lossesOf(headers: Readonly<Record<string, unknown>>, isRedelivered: boolean): number {
  const count = headers['x-delivery-count']
  if (typeof count === 'number') return countOf(count, 0)
  return Number(isRedelivered && headers['x-acquired-count'] === undefined)
}

const countOf = (value: unknown, otherwise: number): number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= otherwise ? value : otherwise

function noteOf(queue: string, headers: Readonly<Record<string, unknown>>): { note?: string } {
  if (typeof headers['note'] === 'string') return { note: headers['note'] }
  if (!isDead(queue)) return {}
  const reason = headers['x-first-death-reason']
  return { note: `RabbitMQ moved it here${typeof reason === 'string' ? ` (${reason})` : ''}: it was handed out too often without an outcome.` }
}
