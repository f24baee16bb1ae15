import { deadQueueOf } from '../../broker.js'
import { ErrandError } from '../../../errors.js'
import { levelTtlMs, wordOf } from './delay.js'

/** A queue as it is declared. Any difference on a later declare is refused by the server: these arguments are frozen. */
export interface QueueStatement {
  readonly kind: 'queue'
  readonly name: string
  readonly durable: boolean
  readonly exclusive: boolean
  readonly autoDelete: boolean
  readonly arguments: Readonly<Record<string, string | number>>
}

export type Statement =
  | QueueStatement
  | { readonly kind: 'exchange'; readonly name: string }
  | { readonly kind: 'bind-queue' | 'bind-exchange'; readonly name: string; readonly source: string; readonly pattern: string }

/** Far above what a rolling restart costs in returned messages; the worker gives up a message long before. */
const DELIVERY_LIMIT = 50

/** Dead letters are looked at and put back any number of times. A limit of -1 would drop them on old servers. */
const DEAD_DELIVERY_LIMIT = 1_000_000

/** Longest name of a queue: the server takes 255 bytes, of which the namespace and our own words need some. */
const LONGEST_NAME = 150

/** Routing keys are at most 255 bytes; the digits of the delay need 58 of them. */
const LONGEST_WORD = 197

/**
 * An end marker is removed minutes after the end of its run; this is for those nobody asks for any more. No shorter: a queue that no
 * worker consumes for some days still holds the watch copies of runs that are over, and a runner that was cut off for as long must
 * find that its run was given to another.
 */
const END_MARKER_EXPIRES_MS = 7 * 24 * 3600 * 1000

const DEAD = '.dead'

/** Names and arguments of everything this driver declares. Pure: data in, data out. */
export class Topology {
  readonly #namespace: string
  readonly #queueType: 'quorum' | 'classic'

  constructor(namespace: string, queueType: 'quorum' | 'classic') {
    this.#namespace = namespace
    this.#queueType = queueType
  }

  /** The name of `queue` on the server. */
  nameOf(queue: string): string {
    return isDead(queue) ? `${this.#namespace}.dead.${queue.slice(0, -DEAD.length)}` : `${this.#namespace}.q.${queue}`
  }

  temporaryNameOf(queue: string): string {
    return `${this.#namespace}.tmp.${queue}`
  }

  levelName(level: number): string {
    return `${this.#namespace}.delay.${level}`
  }

  get #dueName(): string {
    return `${this.#namespace}.delay.out`
  }

  /** A task queue and its dead-letter queue; for the name of a dead-letter queue just that one. */
  queue(queue: string): readonly Statement[] {
    const dead = this.#deadQueue(isDead(queue) ? queue : deadQueueOf(queue))
    return isDead(queue) ? [dead] : [dead, this.#taskQueue(queue)]
  }

  /** A queue that goes with its connection. Such queues cannot be replicated. */
  temporaryQueue(queue: string): readonly Statement[] {
    const name = this.temporaryNameOf(queue)
    return [{ kind: 'queue', name, durable: false, exclusive: true, autoDelete: true, arguments: { 'x-queue-type': 'classic' } }]
  }

  /**
   * Level `level` of the delays: a queue without consumers whose messages time out into the next lower level. Messages that do
   * not wait in this level go past its queue. The lower levels must exist.
   */
  delayLevel(level: number): readonly Statement[] {
    const name = this.levelName(level)
    const below = level === 0 ? this.#dueName : this.levelName(level - 1)
    const skip = '*.'.repeat(level)
    return [
      { kind: 'exchange', name: below },
      { kind: 'exchange', name },
      durableQueue(name, {
        'x-queue-type': 'quorum',
        'x-message-ttl': levelTtlMs(level),
        'x-dead-letter-exchange': below,
        'x-dead-letter-strategy': 'at-least-once',
        'x-overflow': 'reject-publish',
      }),
      { kind: 'bind-queue', name, source: name, pattern: `${skip}1.#` },
      { kind: 'bind-exchange', name: below, source: name, pattern: `${skip}0.#` },
    ]
  }

  /** The exclusive queue that stands as long as the process lives that runs `key`. */
  runMarkerName(key: string): string {
    return `${this.#namespace}.run.${key}`
  }

  /** The queue that says that the run `key` is over. It never holds a message, so nothing is lost when it expires. */
  endMarker(key: string): QueueStatement {
    return durableQueue(`${this.#namespace}.end.${key}`, { 'x-queue-type': this.#queueType, 'x-expires': END_MARKER_EXPIRES_MS })
  }

  /** The way from the last level into `queue`. */
  dueBinding(queue: string): readonly Statement[] {
    const source = this.#dueName
    return [
      { kind: 'exchange', name: source },
      { kind: 'bind-queue', name: this.nameOf(queue), source, pattern: `#.${wordOf(queue)}` },
    ]
  }

  #taskQueue(queue: string): QueueStatement {
    const dead = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': this.nameOf(deadQueueOf(queue)) }
    const name = this.nameOf(queue)
    if (this.#queueType === 'classic') return durableQueue(name, { 'x-queue-type': 'classic', ...dead, 'x-overflow': 'reject-publish' })
    return durableQueue(name, {
      'x-queue-type': 'quorum',
      'x-delivery-limit': DELIVERY_LIMIT,
      ...dead,
      'x-dead-letter-strategy': 'at-least-once',
      'x-overflow': 'reject-publish',
    })
  }

  #deadQueue(queue: string): QueueStatement {
    const limit = this.#queueType === 'quorum' ? { 'x-delivery-limit': DEAD_DELIVERY_LIMIT } : {}
    return durableQueue(this.nameOf(queue), { 'x-queue-type': this.#queueType, ...limit })
  }
}

/** Whether `queue` is the name of a dead-letter queue. */
export const isDead = (queue: string): boolean => queue.endsWith(DEAD) && queue.length > DEAD.length

/** @throws ErrandError `OPTION_INVALID` for a name that would not fit into the names and routing keys of the server. */
export function checkQueueName(queue: string): void {
  if (queue !== '' && Buffer.byteLength(queue) <= LONGEST_NAME && wordOf(queue).length <= LONGEST_WORD) return
  throw new ErrandError(
    'OPTION_INVALID',
    `Cannot use the queue "${queue}": on RabbitMQ a name has 1 to ${LONGEST_NAME} bytes (${LONGEST_WORD} when percent-encoded). Shorten it.`,
  )
}

function durableQueue(name: string, args: QueueStatement['arguments']): QueueStatement {
  return { kind: 'queue', name, durable: true, exclusive: false, autoDelete: false, arguments: args }
}
