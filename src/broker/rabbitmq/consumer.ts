import type { ConsumeMessage } from 'amqplib'
import { assertNever } from '../../errors.js'
import { outside } from '../../core/outside.js'
import { deadQueueOf, type ConsumeOptions, type Delivery, type Subscription, type Verdict } from '../broker.js'
import { Backoff } from './backoff.js'
import type { Link } from './connection.js'
import { within } from './deadline.js'
import type { Declarer } from './declarer.js'
import { deadLetter, nextAttempt, sameAttempt, toDelivery } from './delivery.js'
import { closedError, isRefusal, reasonOf, REPLY, replyCodeOf, toErrandError } from './errors.js'
import { Lease } from './lease.js'
import type { ResolvedRabbitOptions } from './options.js'
import type { Publication } from './publication.js'
import type { Publisher } from './publisher.js'
import type { Session } from './session.js'
import { isDead, type Topology } from './topology.js'

/** A run that failed in a way the worker does not know may fail again at once: without a pause it would spin. */
const LOST_PAUSE_MS = 1000

/** How long `stop` waits for the server to say that nothing more comes. */
const CANCEL_TIMEOUT_MS = 2000

export interface ConsumerParts {
  readonly link: Link
  readonly publisher: Publisher
  readonly declarer: Declarer
  readonly topology: Topology
  readonly options: ResolvedRabbitOptions
}

type Handle = (delivery: Delivery) => Promise<Verdict>

/** Consumes one queue, over losses of its channel and of the connection. */
export class Consumer implements Subscription {
  readonly #parts: ConsumerParts
  readonly #queue: string
  readonly #handle: Handle
  readonly #concurrency: number
  readonly #isTemporary: boolean
  readonly #backoff = new Backoff(50, 5000)
  /** Delivered while runs of an earlier channel still fill every place. */
  #buffered: { readonly lease: Lease; readonly message: ConsumeMessage }[] = []
  #lease: Lease | undefined
  #active = 0
  /** Verdicts that need a publish before the acknowledgement. */
  readonly #settling = new Set<Promise<void>>()
  #staleSettles = 0
  #isStopped = false
  #stopping: Promise<void> | undefined
  readonly #onUp = (session: Session): void => void this.#keepSubscribed(session)

  constructor(parts: ConsumerParts, queue: string, options: ConsumeOptions, handle: Handle) {
    this.#parts = parts
    this.#queue = queue
    this.#handle = handle
    this.#concurrency = options.concurrency
    this.#isTemporary = options.temporary === true
  }

  /** Verdicts that came after their channel was gone; the server hands those messages out again. */
  get staleSettles(): number {
    return this.#staleSettles
  }

  /** Resolves once deliveries can come. @throws ErrandError `BROKER_UNREACHABLE`, `BROKER_REFUSED`, `BROKER_CLOSED` */
  async start(): Promise<void> {
    const { link, options } = this.#parts
    const what = `Cannot consume "${this.#queue}"`
    const deadline = options.clock.now() + options.connectTimeoutMs
    for (;;) {
      const session = await link.ready(deadline - options.clock.now(), what)
      try {
        await this.#subscribe(session)
        break
      } catch (error) {
        if (this.#isStopped) throw closedError(what)
        if (isFinal(error) || options.clock.now() >= deadline) throw toErrandError(what, error)
        await this.#pause()
      }
    }
    link.on('up', this.#onUp)
    // the connection may have been lost and made again since
    const now = link.session
    if (now !== undefined && now !== this.#lease?.session) this.#onUp(now)
  }

  /** Whether every delivery is settled. */
  get isIdle(): boolean {
    return this.#active === 0
  }

  /** Carries out every verdict that was given; what has none yet goes back. */
  async end(): Promise<void> {
    await Promise.all(this.#settling)
    await this.#lease?.close()
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    this.#isStopped = true
    this.#parts.link.off('up', this.#onUp)
    const lease = this.#lease
    if (lease === undefined || lease.isOver) return
    // some servers hand a queue to the next consumer at the cancel: what is done must be known before
    lease.acks.flush()
    try {
      await within(lease.channel.cancel(lease.consumerTag), CANCEL_TIMEOUT_MS, () => lease.session.abandon('it did not answer a cancel'))
    } catch {
      // closed in the meantime: nothing comes on it any more
    }
    this.#releaseBuffered()
    if (lease.acks.running === 0) await lease.close()
  }

  /** Sets up the consumer on this connection, however often that takes. */
  async #keepSubscribed(session: Session): Promise<void> {
    while (session.isUp && !this.#isStopped) {
      try {
        await this.#subscribe(session)
        return
      } catch (error) {
        if (session.isUp && !this.#isStopped) {
          this.#parts.options.log.warn(`RabbitMQ: "${this.#queue}" cannot be consumed (${reasonOf(error)}); trying again.`)
          await this.#pause()
        }
      }
    }
  }

  async #subscribe(session: Session): Promise<void> {
    const { declarer } = this.#parts
    if (this.#isTemporary) await declarer.temporaryQueue(session, this.#queue)
    else await declarer.queue(session, this.#queue)
    const channel = await session.channel()
    const lease = new Lease(session, channel, () => this.#stale())
    channel.on('error', (error) => this.#parts.options.log.warn(`RabbitMQ: ${this.#queue}: ${reasonOf(error)}`))
    channel.on('close', () => this.#over(lease))
    this.#lease = lease
    try {
      await session.bounded(channel.prefetch(this.#concurrency))
      const { consumerTag } = await session.bounded(channel.consume(this.#nameOnServer, (message) => this.#received(lease, message)))
      lease.consumerTag = consumerTag
    } catch (error) {
      this.#over(lease, false)
      void lease.close()
      throw error
    }
    // stop() came in between and could not cancel yet
    if (this.#isStopped) await lease.close()
  }

  get #nameOnServer(): string {
    const { topology } = this.#parts
    return this.#isTemporary ? topology.temporaryNameOf(this.#queue) : topology.nameOf(this.#queue)
  }

  /** The channel is gone. Its deliveries come again; the consumer is set up anew where the connection stands. */
  #over(lease: Lease, isToRenew = true): void {
    if (lease.isOver) return
    lease.isOver = true
    lease.acks.close()
    this.#buffered = this.#buffered.filter((waiting) => waiting.lease !== lease)
    if (!isToRenew || this.#isStopped || !lease.session.isUp || lease.consumerTag === '') return
    void outside(async () => {
      await this.#pause()
      await this.#keepSubscribed(lease.session)
    })
  }

  #received(lease: Lease, message: ConsumeMessage | null): void {
    if (message === null) {
      // the server cancelled the consumer; nothing that was delivered on this channel may be acknowledged any more
      this.#parts.options.log.warn(`RabbitMQ ended the consumer of "${this.#queue}"; it is set up again.`)
      this.#over(lease)
      void lease.close()
      return
    }
    if (lease.isOver) return
    lease.acks.delivered(message.fields.deliveryTag)
    this.#backoff.reset()
    // after stop() it goes back, but only when the server sends nothing more: it would come again at once
    if (!this.#isStopped && this.#active < this.#concurrency) this.#run(lease, message)
    else this.#buffered.push({ lease, message })
  }

  #run(lease: Lease, message: ConsumeMessage): void {
    this.#active += 1
    const tag = message.fields.deliveryTag
    const delivery = toDelivery(this.#queue, message)
    let run: Promise<Verdict>
    try {
      run = this.#handle(delivery)
    } catch (error) {
      run = Promise.reject(error)
    }
    run.then(
      (verdict) => {
        if (verdict.kind === 'done') this.#settled(lease, () => lease.acks.done(tag))
        else this.#track(this.#settleOtherwise(lease, tag, delivery, verdict))
      },
      (error: unknown) => void this.#lost(lease, tag, error),
    )
  }

  #track(settling: Promise<void>): void {
    if (this.#isTemporary) return // it goes with this process
    this.#settling.add(settling)
    void settling.then(() => this.#settling.delete(settling)) // it never rejects
  }

  async #settleOtherwise(lease: Lease, tag: number, delivery: Delivery, verdict: Verdict): Promise<void> {
    try {
      switch (verdict.kind) {
        case 'done':
          break
        case 'release':
          if (this.#isTemporary || !lease.session.countsReturns) return this.#settled(lease, () => lease.acks.release(tag))
          await this.#parts.publisher.publish(sameAttempt(delivery))
          break
        case 'again':
          await this.#again(nextAttempt(delivery, verdict.delayMs, verdict.note))
          break
        case 'later':
          await this.#again(sameAttempt(delivery, verdict.delayMs))
          break
        case 'dead':
          await this.#dead(delivery, verdict.note)
          break
        default:
          return assertNever(verdict)
      }
      // only now: a crash before this duplicates the message, it never loses it
      this.#settled(lease, () => lease.acks.done(tag))
    } catch (error) {
      await this.#lost(lease, tag, error)
    }
  }

  async #again(publication: Publication): Promise<void> {
    if (!this.#isTemporary) return this.#parts.publisher.publish(publication)
    // a temporary queue goes with this process, so the wait may as well
    const { delayMs = 0, ...rest } = publication
    await new Promise<void>((resolve) => this.#parts.options.clock.after(delayMs, resolve))
    await this.#parts.publisher.publish({ ...rest, toTemporary: true })
  }

  async #dead(delivery: Delivery, note: string): Promise<void> {
    if (this.#isTemporary) {
      this.#parts.options.log.warn(`RabbitMQ: a message of the temporary queue "${this.#queue}" was given up: ${note}`)
      return
    }
    const queue = isDead(this.#queue) ? this.#queue : deadQueueOf(this.#queue)
    await this.#parts.publisher.publish(deadLetter(delivery, queue, note))
  }

  /** The handler failed, or its verdict could not be carried out: the message is handed out again, after a pause. */
  async #lost(lease: Lease, tag: number, error: unknown): Promise<void> {
    this.#parts.options.log.error(`RabbitMQ: a message of "${this.#queue}" goes back to its queue: ${reasonOf(error)}`)
    if (!this.#isStopped) await new Promise<void>((resolve) => this.#parts.options.clock.after(LOST_PAUSE_MS, resolve))
    this.#settled(lease, () => lease.acks.lost(tag))
  }

  #settled(lease: Lease, settle: () => void): void {
    settle()
    this.#active -= 1
    if (this.#isStopped) {
      if (lease.acks.running === 0) void lease.close()
      return
    }
    const next = this.#buffered.shift()
    if (next !== undefined) this.#run(next.lease, next.message)
  }

  #releaseBuffered(): void {
    for (const { lease, message } of this.#buffered) lease.acks.release(message.fields.deliveryTag)
    this.#buffered = []
  }

  #stale(): void {
    this.#staleSettles += 1
    this.#parts.options.log.debug(`RabbitMQ: a verdict for "${this.#queue}" came after its channel was gone; the message runs again.`)
  }

  async #pause(): Promise<void> {
    await new Promise<void>((resolve) => this.#parts.options.clock.after(this.#backoff.next(), resolve))
  }
}

/** Asking again would be refused again. A name still held by a lost connection of ours is free soon. */
const isFinal = (error: unknown): boolean => isRefusal(error) || (replyCodeOf(error) === REPLY.locked ? false : isCoded(error))

const isCoded = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'BROKER_REFUSED' || error.code === 'BROKER_CLOSED')
