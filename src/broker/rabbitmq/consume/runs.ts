import type { ConsumeMessage } from 'amqplib'
import { outside } from '../../../core/outside.js'
import { ErrandError } from '../../../errors.js'
import type { Delivery, Verdict } from '../../broker.js'
import { Buffer, type Buffered } from './buffer.js'
import type { ConsumerParts } from './consumer-parts.js'
import { sameAttempt, toDelivery, watchOf } from '../message/delivery.js'
import { reasonOf } from '../link/errors.js'
import type { Lease } from './lease.js'
import type { Publication, Watch } from '../message/publication.js'
import { Run } from './run.js'
import { isDead } from '../topology/topology.js'
import { successorOf } from './verdicts.js'

/** A run that failed in a way the worker does not know may fail again at once: without a pause it would spin. */
const LOST_PAUSE_MS = 1000

/** How often it is seen what takes long, and how long a message waits here for a place before it is handed back. */
const LONGEST_SWEEP_MS = 5000

export interface RunsOptions {
  readonly queue: string
  readonly handle: (delivery: Delivery) => Promise<Verdict>
  readonly concurrency: number
  readonly isTemporary: boolean
  /** {@link Runs.places} changed; resolves when the server knows. */
  readonly onPlaces: () => Promise<void>
}

/** The deliveries of one consumer: which run, which wait, which are on watch, and how each of them ends. */
export class Runs {
  readonly #parts: ConsumerParts
  readonly #options: RunsOptions
  readonly #runs = new Set<Run>()
  readonly #buffered = new Buffer()
  /** Runs whose message is acknowledged although they go on: the server would send more in their stead. */
  #watched = 0
  /** Verdicts that need an answer of the server before the message may go. */
  readonly #settling = new Set<Promise<void>>()
  #staleSettles = 0
  #isStopped = false
  #isSweeping = false

  constructor(parts: ConsumerParts, options: RunsOptions) {
    this.#parts = parts
    this.#options = options
  }

  get staleSettles(): number {
    return this.#staleSettles
  }

  get isIdle(): boolean {
    return this.#runs.size === 0 && this.#settling.size === 0
  }

  /** How many deliveries the server may hand out at a time. */
  get places(): number {
    return Math.max(0, this.#options.concurrency - this.#watched)
  }

  take(lease: Lease, message: ConsumeMessage): void {
    lease.acks.delivered(message.fields.deliveryTag)
    const watch = isDead(this.#options.queue) ? undefined : watchOf(message)
    // after stop() it goes back, but only when the server sends nothing more: it would come again at once
    if (this.#isStopped || (watch === undefined && this.#isFull)) this.#buffered.push({ lease, message, since: this.#now })
    else if (watch === undefined) this.#run(lease, message)
    else this.#track(this.#look(lease, message, watch))
    this.#sweepLater()
  }

  /** Runs nothing more of what is delivered. */
  stop(): void {
    this.#isStopped = true
  }

  /** Gives back what did not begin, so that it counts no attempt. */
  releaseBuffered(): void {
    for (const waiting of this.#buffered.take(() => true)) {
      const { lease, message } = waiting
      // a watch copy must stay one, and nobody asks how often it was returned
      const isReturned = this.#options.isTemporary || !lease.session.countsReturns || watchOf(message) !== undefined
      if (isReturned) lease.acks.release(message.fields.deliveryTag)
      else this.#track(this.#handBack(waiting, 0))
    }
  }

  /** The channel is gone, and the server hands out again what was not acknowledged on it. */
  lose(lease: Lease): void {
    this.#buffered.drop(lease)
    if (this.#options.isTemporary) return // it went with its queue
    const why = `The message of this run goes to another: RabbitMQ took it back (${lease.trouble}). Its outcome does not count.`
    for (const run of this.#runs) {
      if (run.lease === lease && run.watched === undefined) run.lose(new ErrandError('BROKER_UNREACHABLE', why))
    }
  }

  /** Resolves when every verdict that was given is carried out. */
  async settled(): Promise<void> {
    await Promise.all(this.#settling)
  }

  /** A verdict came when the message was no longer its own. */
  stale(): void {
    this.#staleSettles += 1
    this.#parts.options.log.debug(`RabbitMQ: a verdict for "${this.#options.queue}" came when its message had been given to another; it has no effect.`)
  }

  get #isFull(): boolean {
    return this.#runs.size >= this.#options.concurrency
  }

  get #now(): number {
    return this.#parts.options.clock.now()
  }

  #run(lease: Lease, message: ConsumeMessage): void {
    const { handle, isTemporary, queue } = this.#options
    const watchAt = isTemporary ? Infinity : this.#now + this.#parts.watches.holdMs
    const run = new Run({ lease, tag: message.fields.deliveryTag, watchAt }, toDelivery(queue, message))
    this.#runs.add(run)
    let running: Promise<Verdict>
    try {
      running = handle(run.delivery)
    } catch (error) {
      running = Promise.reject(error)
    }
    running.then(
      (verdict) => {
        const isPlain = verdict.kind === 'done' && run.watched === undefined && run.moving === undefined
        if (isPlain) this.#settled(run, () => lease.acks.done(run.tag))
        else this.#track(this.#settle(run, verdict))
      },
      (error: unknown) => void this.#lost(run, error),
    )
  }

  #track(settling: Promise<void>): void {
    if (this.#options.isTemporary) return // it goes with this process
    this.#settling.add(settling)
    void settling.then(() => this.#settling.delete(settling)) // it never rejects
  }

  async #settle(run: Run, verdict: Verdict): Promise<void> {
    try {
      run.watchAt = Infinity
      // no turn is lost without need: close() may come in the next one
      if (run.moving !== undefined) await run.moving
      const { lease, tag, watched } = run
      if (run.isLost) return this.#settledInVain(run)
      if (watched !== undefined) {
        const isOwn = await this.#parts.watches.end(watched, successorOf(run.delivery, verdict))
        return isOwn ? this.#settled(run) : this.#settledInVain(run)
      }
      const isReturned = verdict.kind === 'release' && (this.#options.isTemporary || !lease.session.countsReturns)
      if (isReturned) return this.#settled(run, () => lease.acks.release(tag))
      await this.#store(run.delivery, verdict)
      // only now: a crash before this duplicates the message, it never loses it
      this.#settled(run, () => lease.acks.done(tag))
    } catch (error) {
      await this.#lost(run, error)
    }
  }

  async #store(delivery: Delivery, verdict: Verdict): Promise<void> {
    const successor = successorOf(delivery, verdict)
    if (successor === undefined) return
    const { publisher, options } = this.#parts
    if (!this.#options.isTemporary) return publisher.publish(successor)
    if (verdict.kind === 'dead') {
      options.log.warn(`RabbitMQ: a message of the temporary queue "${this.#options.queue}" was given up: ${verdict.note}`)
      return
    }
    // a temporary queue goes with this process, so the wait may as well
    const { delayMs = 0, ...rest } = successor
    await this.#wait(delayMs)
    await publisher.publish({ ...rest, toTemporary: true })
  }

  /** The handler failed, or its verdict could not be carried out: the message is handed out again, after a pause. */
  async #lost(run: Run, error: unknown): Promise<void> {
    run.watchAt = Infinity
    await run.moving
    if (run.isLost) return this.#settledInVain(run)
    this.#parts.options.log.error(`RabbitMQ: a message of "${this.#options.queue}" goes back to its queue: ${reasonOf(error)}`)
    if (!this.#isStopped) await this.#wait(LOST_PAUSE_MS)
    if (run.watched === undefined) return this.#settled(run, () => run.lease.acks.lost(run.tag))
    await this.#parts.watches.forsake(run.watched)
    this.#settled(run)
  }

  #settledInVain(run: Run): void {
    this.stale()
    this.#settled(run)
  }

  #settled(run: Run, settle: () => void = () => {}): void {
    settle()
    this.#runs.delete(run)
    if (run.watched !== undefined) this.#leaveWatch()
    this.#closeIfEmpty(run.lease)
    const next = this.#isStopped || this.#isFull ? undefined : this.#buffered.shift()
    if (next !== undefined) this.#run(next.lease, next.message)
  }

  #closeIfEmpty(lease: Lease): void {
    // before the server sends nothing more the end of the channel would meet deliveries
    if (lease.isQuiet && lease.acks.running === 0) void lease.close()
  }

  async #look(lease: Lease, message: ConsumeMessage, watch: Watch): Promise<void> {
    const { queue } = this.#options
    const tag = message.fields.deliveryTag
    try {
      await this.#parts.watches.look(lease.session, toDelivery(queue, message), watch)
      lease.acks.done(tag)
    } catch (error) {
      this.#parts.options.log.warn(`RabbitMQ: a long run of "${queue}" cannot be looked after at the moment: ${reasonOf(error)}`)
      if (!this.#isStopped) await this.#wait(LOST_PAUSE_MS)
      lease.acks.lost(tag)
    }
    this.#closeIfEmpty(lease)
  }

  async #putOnWatch(run: Run): Promise<void> {
    const { watches, options } = this.#parts
    const { lease } = run
    try {
      const watched = await watches.begin(run.delivery, (reason) => run.lose(reason))
      this.#watched += 1
      // first the place: the server fills it as soon as it hears the acknowledgement
      await this.#options.onPlaces()
      if (lease.isUsable) {
        run.watched = watched
        lease.acks.done(run.tag)
        lease.acks.flush()
        this.#closeIfEmpty(lease)
        return
      }
      // the server took the message back
      this.#leaveWatch()
      await watches.withdraw(watched)
    } catch (error) {
      options.log.warn(`RabbitMQ: a long run of "${this.#options.queue}" cannot be put on watch yet: ${reasonOf(error)}`)
      run.watchAt = this.#now + watches.holdMs / 4
    }
  }

  #leaveWatch(): void {
    this.#watched -= 1
    void this.#options.onPlaces() // it never rejects
  }

  /** Puts what takes long on watch, and hands back what waits long for a place here: others may have one. */
  #sweep(): void {
    const { holdMs } = this.#parts.watches
    const now = this.#now
    for (const run of this.#runs) {
      if (now < run.watchAt || run.isLost || !run.lease.isUsable) continue
      run.watchAt = Infinity
      run.moving = this.#putOnWatch(run).finally(() => (run.moving = undefined))
    }
    const isLate = ({ since }: Buffered): boolean => this.places === 0 || now - since >= Math.min(holdMs, LONGEST_SWEEP_MS)
    if (this.#isStopped) return
    for (const waiting of this.#buffered.take(isLate)) this.#track(this.#handBack(waiting, LOST_PAUSE_MS))
  }

  async #handBack({ lease, message }: Buffered, delayMs: number): Promise<void> {
    const publication: Publication = sameAttempt(toDelivery(this.#options.queue, message), delayMs)
    try {
      await this.#parts.publisher.publish(publication)
      lease.acks.done(message.fields.deliveryTag)
    } catch {
      lease.acks.release(message.fields.deliveryTag)
    }
    this.#closeIfEmpty(lease)
  }

  #sweepLater(): void {
    if (this.#isSweeping || this.#options.isTemporary) return
    this.#isSweeping = true
    outside(() =>
      this.#parts.options.clock.after(Math.min(this.#parts.watches.holdMs / 4, LONGEST_SWEEP_MS), () => {
        this.#isSweeping = false
        this.#sweep()
        if (this.#runs.size > 0 || this.#buffered.size > 0) this.#sweepLater()
      }),
    )
  }

  async #wait(ms: number): Promise<void> {
    await new Promise<void>((resolve) => this.#parts.options.clock.after(ms, resolve))
  }
}
