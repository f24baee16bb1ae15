import { outside } from '../../../core/outside.js'
import { ErrandError } from '../../../errors.js'
import type { ConsumeOptions, Delivery, Subscription, Verdict } from '../../broker.js'
import { Backoff } from '../link/backoff.js'
import type { ConsumerParts } from './consumer-parts.js'
import { within } from '../link/deadline.js'
import { closedError, isRefusal, reasonOf, REPLY, replyCodeOf, toErrandError } from '../link/errors.js'
import { renewWhenIdle, type IdleParts } from './idle.js'
import { Lease } from './lease.js'
import { Runs } from './runs.js'
import type { Session } from '../link/session.js'

/**
 * A queue without an answer is asked once and waited for. Every attempt that is given up is one more consumer for it that is gone when
 * it hands out its messages again.
 */
const SCOUT_PATIENCE_MS = 30 * 60_000

/** Consumes one queue, over losses of its channel and of the connection. What becomes of the deliveries is the matter of {@link Runs}. */
export class Consumer implements Subscription {
  readonly #parts: ConsumerParts
  readonly #queue: string
  readonly #isTemporary: boolean
  readonly #runs: Runs
  readonly #backoff = new Backoff(50, 5000)
  #lease: Lease | undefined
  /** On connections of their own. */
  readonly #scouts = new Set<Lease>()
  /** The last try to consume failed. */
  #isSuspect = false
  #isWaitingToAdapt = false
  #isStopped = false
  #stopping: Promise<void> | undefined
  readonly #onUp = (session: Session): void => void this.#keepSubscribed(session)

  constructor(parts: ConsumerParts, queue: string, options: ConsumeOptions, handle: (delivery: Delivery) => Promise<Verdict>) {
    this.#parts = parts
    this.#queue = queue
    this.#isTemporary = options.temporary === true
    this.#runs = new Runs(parts, {
      queue,
      handle,
      concurrency: options.concurrency,
      isTemporary: this.#isTemporary,
      onPlaces: () => this.#adapt(),
    })
  }

  /** Verdicts that came when the message was no longer this process's own; they have no effect. */
  get staleSettles(): number {
    return this.#runs.staleSettles
  }

  /** Whether every delivery is settled. */
  get isIdle(): boolean {
    return this.#runs.isIdle
  }

  /** Resolves once deliveries can come. @throws ErrandError `BROKER_UNREACHABLE`, `BROKER_REFUSED`, `BROKER_CLOSED` */
  async start(): Promise<void> {
    const { link, options } = this.#parts
    const what = `Cannot consume "${this.#queue}"`
    const deadline = options.clock.now() + options.connectTimeoutMs
    for (;;) {
      const session = await link.ready(deadline - options.clock.now(), what)
      try {
        await within(this.#subscribe(session), deadline - options.clock.now(), () => {
          throw new ErrandError('BROKER_UNREACHABLE', `${what}: RabbitMQ did not answer in time. Has the queue a leader?`)
        })
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

  /** Carries out every verdict that was given; what has none yet goes back. */
  async end(): Promise<void> {
    await this.#runs.settled()
    await Promise.all([this.#lease?.close(), ...[...this.#scouts].map((scout) => scout.close())])
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    this.#isStopped = true
    this.#runs.stop()
    this.#parts.link.off('up', this.#onUp)
    for (const scout of this.#scouts) if (!scout.isSubscribed) scout.session.abandon('its consumer stops')
    if (this.#lease !== undefined) await this.#quit(this.#lease)
  }

  async #quit(lease: Lease): Promise<void> {
    if (lease.isOver) return
    // some servers hand a queue to the next consumer at the cancel: what is done must be known before
    lease.acks.flush()
    try {
      await lease.cancel()
    } catch {
      // closed in the meantime: nothing comes on it any more
    }
    this.#runs.releaseBuffered()
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
    if (await this.#isDoubtful(session)) await this.#scout(session)
    if (this.#isStopped) throw closedError(`Cannot consume "${this.#queue}"`)
    const lease = await this.#leaseOn(session)
    this.#lease = lease
    try {
      await lease.consume(this.#runs.places)
      this.#isSuspect = false
      if (!this.#isTemporary) renewWhenIdle(lease, this.#idle(lease))
    } catch (error) {
      this.#isSuspect = true
      this.#over(lease, false)
      void lease.close()
      throw error
    }
    // stop() came in between and could not cancel yet
    if (this.#isStopped) await this.#quit(lease)
  }

  #idle(lease: Lease): IdleParts {
    const places = (): number | undefined => (this.#isStopped ? undefined : this.#runs.places)
    return { clock: this.#parts.options.clock, places, renew: () => this.#over(lease, true) }
  }

  /** A queue without a leader looks empty and without consumers, whatever it holds. */
  async #isDoubtful(session: Session): Promise<boolean> {
    if (this.#isTemporary || this.#runs.places === 0 || !this.#parts.hasOthers()) return false
    if (this.#isSuspect) return true
    try {
      const { messageCount, consumerCount } = await session.statement((channel) => channel.checkQueue(this.#nameOnServer))
      return messageCount === 0 && consumerCount === 0
    } catch (error) {
      // newer servers do not tell everybody
      if (isRefusal(error)) return false
      throw error
    }
  }

  /**
   * Tries on a connection of its own whether the queue can be consumed: some servers answer the attempt to consume one without a
   * leader with the end of the connection, and so of every run on it. What comes meanwhile is run like any other; the connection
   * goes with the last of that.
   */
  async #scout(asker: Session): Promise<void> {
    const session = await this.#parts.link.another()
    const giveUp = (): void => session.abandon('the connection for which it asked was lost')
    asker.once('gone', giveUp)
    try {
      const lease = await this.#leaseOn(session)
      this.#scouts.add(lease)
      await lease.consume(1, SCOUT_PATIENCE_MS)
      await lease.cancel()
      if (this.#isStopped) this.#runs.releaseBuffered()
      if (lease.acks.running === 0) void lease.close()
    } catch (error) {
      session.abandon('its queue could not be consumed')
      throw error
    } finally {
      asker.off('gone', giveUp)
    }
  }

  get #nameOnServer(): string {
    const { topology } = this.#parts
    return this.#isTemporary ? topology.temporaryNameOf(this.#queue) : topology.nameOf(this.#queue)
  }

  async #leaseOn(session: Session): Promise<Lease> {
    const channel = await session.channel()
    const queue = this.#nameOnServer
    const onStale = (): void => this.#runs.stale()
    const lease = new Lease({ session, channel, queue, onStale, onMessage: (from, message) => this.#received(from, message) })
    channel.on('error', (error) => {
      lease.trouble = reasonOf(error)
      this.#parts.options.log.warn(`RabbitMQ: ${this.#queue}: ${reasonOf(error)}`)
    })
    channel.on('close', () => this.#over(lease))
    return lease
  }

  /** The channel is gone. Its deliveries come again; the consumer is set up anew where the connection stands. */
  #over(lease: Lease, isToRenew = lease.isSubscribed): void {
    if (lease.isOver) return
    lease.isOver = true
    lease.acks.close()
    this.#runs.lose(lease)
    if (this.#scouts.delete(lease)) {
      void lease.session.close(true)
      return
    }
    if (!isToRenew || this.#isStopped || !lease.session.isUp) return
    void outside(async () => {
      await this.#pause()
      await this.#keepSubscribed(lease.session)
    })
  }

  #received(lease: Lease, message: Parameters<Runs['take']>[1] | null): void {
    if (message === null) {
      // nothing that was delivered on this channel may be acknowledged any more
      this.#parts.options.log.warn(`RabbitMQ ended the consumer of "${this.#queue}"; it is set up again.`)
      lease.trouble = 'the server ended the consumer'
      this.#over(lease)
      void lease.close()
      return
    }
    if (lease.isOver) return
    this.#backoff.reset()
    this.#runs.take(lease, message)
  }

  /** The number of deliveries that may be handed out has changed. */
  async #adapt(): Promise<void> {
    const lease = this.#lease
    if (lease === undefined || !lease.isUsable || this.#isStopped) return
    try {
      if (await this.#isDoubtful(lease.session)) await this.#scout(lease.session)
    } catch {
      // what runs goes on, and the server hands out as many as before
      void outside(() => this.#adaptLater())
      return
    }
    try {
      await lease.consume(this.#runs.places)
    } catch {
      // a channel that does not answer is of no use: what is on it comes again on the next
      await lease.close()
      this.#over(lease, true)
    }
  }

  async #adaptLater(): Promise<void> {
    if (this.#isWaitingToAdapt) return
    this.#isWaitingToAdapt = true
    await this.#pause()
    this.#isWaitingToAdapt = false
    await this.#adapt()
  }

  async #pause(): Promise<void> {
    await new Promise<void>((resolve) => this.#parts.options.clock.after(this.#backoff.next(), resolve))
  }
}

/** Asking again would be refused again. A name still held by a lost connection of ours is free soon. */
const isFinal = (error: unknown): boolean => isRefusal(error) || (replyCodeOf(error) === REPLY.locked ? false : isCoded(error))

const isCoded = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'BROKER_REFUSED' || error.code === 'BROKER_CLOSED')
