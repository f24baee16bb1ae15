import type { Clock } from '../../core/clock.js'
import type { Logger } from '../../core/logger.js'
import { ErrandError, type ErrorCode } from '../../errors.js'
import { deadQueueOf, type Broker, type Delivery, type Visit } from '../broker.js'
import { fromSpooled, OUTBOX } from './spooled.js'
import type { Turn } from './turn.js'

export interface DrainParts {
  readonly remote: Broker
  readonly local: Broker
  readonly turn: Turn
  readonly clock: Clock
  readonly log: Logger
}

/**
 * What a pass came to: `through`: it came to the end, and what is kept now came later. `elsewhere`: another process is at it.
 * `stuck`: the remote broker did not take all of it.
 */
export type Passed = 'through' | 'elsewhere' | 'stuck'

/** A message whose end is known: it was taken, or can never be. */
interface Settled {
  readonly delivery: Delivery
  readonly failure: unknown
}

/** Messages under way at a time; so many may be sent twice when this process dies between a confirm and the note of it. */
const BATCH = 100
const BATCH_BYTES = 8 * 1024 * 1024
/** About the message itself: the same would happen again, and everything behind it would wait for ever. */
const HOPELESS: ReadonlySet<ErrorCode> = new Set(['PAYLOAD_TOO_LARGE', 'OPTION_INVALID', 'CALL_INVALID', 'MESSAGE_MALFORMED'])

/** Sends what the outbox keeps, in its order; a message leaves it when the remote broker has confirmed it. */
export class Drain {
  readonly #parts: DrainParts
  #batch: Promise<boolean> | undefined
  #hasMoved = false
  /** What is done with, while the outbox could not note it: a disk that is full for hours must not have it sent again and again. */
  #unnoted: readonly Settled[] = []

  constructor(parts: DrainParts) {
    this.#parts = parts
  }

  /** Whether a pass is under way and the remote broker has taken something of it: it may be there and take nothing for hours. */
  get isMoving(): boolean {
    return this.#batch !== undefined && this.#hasMoved
  }

  /** Resolves when what is under way now is sent or not; at once where nothing is. Never rejects. */
  async step(): Promise<void> {
    await this.#batch?.catch(() => {})
  }

  /** Sends until the end is reached or something is not taken. @throws what the local broker fails with */
  async pass(): Promise<Passed> {
    const { turn } = this.#parts
    if (!turn.take()) return 'elsewhere'
    try {
      for (;;) {
        const { batch, isLast } = await this.#next()
        this.#batch = this.#move(batch)
        if (!(await this.#batch)) return 'stuck'
        this.#hasMoved = true
        if (isLast) return 'through'
      }
    } finally {
      this.#batch = undefined
      this.#hasMoved = false
      turn.release()
    }
  }

  async #next(): Promise<{ readonly batch: readonly Delivery[]; readonly isLast: boolean }> {
    const batch: Delivery[] = []
    let bytes = 0
    let isLast = true
    await this.#parts.local.browse(OUTBOX, (delivery) => {
      isLast = batch.length < BATCH && bytes < BATCH_BYTES
      if (!isLast) return { kind: 'stop' }
      batch.push(delivery)
      bytes += delivery.body.length
      return { kind: 'keep' }
    })
    return { batch, isLast }
  }

  /** Answers `false` where the remote broker did not take all of it now. */
  async #move(batch: readonly Delivery[]): Promise<boolean> {
    if (batch.length === 0) return true
    const failures = await this.#send(batch)
    const settled = batch.map((delivery, index) => ({ delivery, failure: failures[index] })).filter(({ failure }) => isOver(failure))
    this.#unnoted = settled
    await this.#takeOut(batch, failures)
    this.#unnoted = []
    return settled.length === batch.length
  }

  /** Why each was not taken, `undefined` where it was. They leave in one go: a connection keeps their order. */
  async #send(batch: readonly Delivery[]): Promise<readonly unknown[]> {
    const { remote, clock } = this.#parts
    const before = [...this.#unnoted]
    const send = async (delivery: Delivery): Promise<unknown> => {
      // not by the id alone: the next attempt of the same call may be kept as well
      const place = before.findIndex((settled) => isSame(settled.delivery, delivery))
      if (place !== -1) return before.splice(place, 1)[0]?.failure
      try {
        await remote.publish(fromSpooled(delivery, clock.now()))
        return undefined
      } catch (error) {
        if (isHopeless(error)) this.#tellHopeless(delivery, error)
        return error
      }
    }
    return Promise.all(batch.map(send))
  }

  #tellHopeless({ id }: Delivery, { code, message }: ErrandError): void {
    this.#parts.log.error(`Message ${id} can never be sent and goes to "${deadQueueOf(OUTBOX)}" of the outbox. ${code} ${message}`)
  }

  /** Nobody else takes out anything, so the batch is what comes first. */
  async #takeOut(batch: readonly Delivery[], failures: readonly unknown[]): Promise<void> {
    let place = 0
    await this.#parts.local.browse(OUTBOX, (delivery) => {
      const index = place++
      return delivery.id === batch[index]?.id ? this.#endOf(delivery, failures[index]) : { kind: 'stop' }
    })
  }

  #endOf({ id, body }: Delivery, failure: unknown): Visit {
    if (failure === undefined) return { kind: 'remove' }
    if (!isHopeless(failure)) return { kind: 'keep' }
    return { kind: 'replace', message: { id, queue: deadQueueOf(OUTBOX), body } }
  }
}

const isSame = (one: Delivery, other: Delivery): boolean => one.id === other.id && one.body.equals(other.body)

const isOver = (failure: unknown): boolean => failure === undefined || isHopeless(failure)

const isHopeless = (failure: unknown): failure is ErrandError => failure instanceof ErrandError && HOPELESS.has(failure.code)
