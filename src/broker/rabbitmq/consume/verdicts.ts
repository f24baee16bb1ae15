import { assertNever } from '../../../errors.js'
import { deadQueueOf, type Delivery, type Verdict } from '../../broker.js'
import { deadLetter, nextAttempt, sameAttempt } from '../message/delivery.js'
import type { Publication } from '../message/publication.js'
import { isDead } from '../topology/topology.js'

/** What has to be stored before a message with this verdict may go; nothing when it is done. */
export function successorOf(delivery: Delivery, verdict: Verdict): Publication | undefined {
  switch (verdict.kind) {
    case 'done':
      return undefined
    case 'release':
      return sameAttempt(delivery)
    case 'again':
      return nextAttempt(delivery, verdict.delayMs, verdict.note)
    case 'later':
      return sameAttempt(delivery, verdict.delayMs)
    case 'dead':
      return deadLetter(delivery, isDead(delivery.queue) ? delivery.queue : deadQueueOf(delivery.queue), verdict.note)
    default:
      return assertNever(verdict)
  }
}
