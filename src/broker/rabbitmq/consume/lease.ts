import { setTimeout as pause } from 'node:timers/promises'
import type { Channel, ConsumeMessage } from 'amqplib'
import { Acknowledger } from './acknowledger.js'
import { within } from '../link/deadline.js'
import type { Session } from '../link/session.js'

/** How long `cancel` waits for the server to say that nothing more comes. */
const CANCEL_TIMEOUT_MS = 2000

/** How long a cancel waits for what is on its way; a queue in good order sends it within milliseconds. */
const LONGEST_ARRIVAL_MS = 500
const ARRIVAL_STEP_MS = 5

export interface LeaseParts {
  readonly session: Session
  readonly channel: Channel
  /** The name of the queue on the server. */
  readonly queue: string
  readonly onMessage: (lease: Lease, message: ConsumeMessage | null) => void
  /** Something was settled whose channel is gone. */
  readonly onStale: () => void
}

/** One channel with at most one consumer on it; everything delivered there is settled there or not at all. */
export class Lease {
  readonly session: Session
  readonly channel: Channel
  readonly acks: Acknowledger
  isOver = false
  /** What the server said against it. */
  trouble = 'the connection was lost'
  /** It consumed at least once. */
  isSubscribed = false
  /** Nothing more comes, and that is for good. */
  isQuiet = false
  readonly #parts: LeaseParts
  #consumerTag = ''
  #places = 0
  #isCancelled = false
  #changes: Promise<unknown> = Promise.resolve()
  #closing: Promise<void> | undefined

  constructor(parts: LeaseParts) {
    this.#parts = parts
    this.session = parts.session
    this.channel = parts.channel
    this.acks = new Acknowledger(parts.channel, parts.onStale)
  }

  /** Whether an acknowledgement can still reach the server, as far as this process knows. */
  get isUsable(): boolean {
    return !this.isOver && this.session.isUp
  }

  /**
   * Has the server hand out at most `places` deliveries at a time from now on, once it answers, which may take it `patienceMs`.
   * A prefetch holds for the life of a consumer.
   */
  consume(places: number, patienceMs?: number): Promise<void> {
    return this.#next(async () => {
      if (this.#isCancelled || this.isOver || (places === this.#places && this.isSubscribed)) return
      await this.#endConsumer()
      this.#places = places
      if (places > 0) await this.#startConsumer(patienceMs)
      this.isSubscribed = true
    })
  }

  /** Has the server hand out nothing more; resolves when nothing can come any more, or the queue does not answer. */
  cancel(): Promise<void> {
    this.#isCancelled = true
    const cancelled = this.#next(async () => {
      // not where only the places change: one run after the other is put on watch, and each would wait
      this.acks.hold()
      try {
        if (this.#consumerTag !== '') await this.#arrived()
        await this.#endConsumer()
      } finally {
        this.acks.resume()
      }
      this.isQuiet = true
    })
    // its connection is also that of others
    return within(cancelled, CANCEL_TIMEOUT_MS, () => undefined)
  }

  /**
   * Closes the channel and waits for the answer: only that says that the server has heard the acknowledgements. The end of the
   * connection, sent on a channel of its own, would overtake them.
   */
  close(): Promise<void> {
    this.acks.resume()
    this.acks.flush()
    this.#closing ??= this.session.closeChannel(this.channel)
    return this.#closing
  }

  async #startConsumer(patienceMs?: number): Promise<void> {
    const { session, channel } = this
    await session.bounded(channel.prefetch(this.#places))
    const consuming = channel.consume(this.#parts.queue, (message) => this.#parts.onMessage(this, message))
    this.#consumerTag = (await session.bounded(consuming, patienceMs)).consumerTag
  }

  async #endConsumer(): Promise<void> {
    const tag = this.#consumerTag
    if (tag === '') return
    this.#consumerTag = ''
    await this.session.bounded(this.channel.cancel(tag))
  }

  /**
   * Resolves when nothing is on its way here any more: every place is taken, or the queue is empty. A delivery that meets the cancel
   * in the server goes back to the queue, and servers that count returns take that for a run that was lost. The question goes over
   * the channel of the deliveries, so that its answer comes after them.
   */
  async #arrived(): Promise<void> {
    // the others may also refuse the question, with the end of the channel
    if (!this.session.countsReturns) return
    const deadline = performance.now() + LONGEST_ARRIVAL_MS
    for (;;) {
      const { messageCount } = await this.session.bounded(this.channel.checkQueue(this.#parts.queue))
      if (messageCount === 0 || this.acks.outstanding >= this.#places || performance.now() >= deadline) return
      await pause(ARRIVAL_STEP_MS)
    }
  }

  /** One change after the other. */
  #next<T>(change: () => Promise<T>): Promise<T> {
    const changed = this.#changes.then(change)
    this.#changes = changed.catch(() => {})
    return changed
  }
}
