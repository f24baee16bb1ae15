import { outside } from '../../../core/outside.js'
import type { ErrandError } from '../../../errors.js'
import type { Link } from '../link/connection.js'
import { deferred, within } from '../link/deadline.js'
import { closedError } from '../link/errors.js'
import type { Entry } from './lane.js'
import type { ResolvedRabbitOptions } from '../link/options.js'
import { routeOf, type Publication } from '../message/publication.js'
import { PUBLISHER_LIMITS, type PublisherLimits, type PublisherParts } from './publisher-parts.js'
import { bufferFull, cutOff, late, publishing, tooLarge } from './publish-errors.js'
import { Sender } from './sender.js'
import type { Topology } from '../topology/topology.js'

/** Takes messages and answers when the server has them. A call never hangs, and never resolves without a confirm. */
export class Publisher {
  readonly #options: ResolvedRabbitOptions
  readonly #link: Link
  readonly #topology: Topology
  readonly #limits: PublisherLimits
  readonly #sender: Sender
  #held = 0
  #heldBytes = 0
  #isSweeping = false
  #isClosed = false
  #onEmpty: (() => void) | undefined

  constructor(options: ResolvedRabbitOptions, { link, topology, declarer, limits = PUBLISHER_LIMITS }: PublisherParts) {
    this.#options = options
    this.#link = link
    this.#topology = topology
    this.#limits = limits
    const settle = (entry: Entry, error?: unknown): void => this.#settle(entry, error)
    this.#sender = new Sender({ options, link, declarer, limits, settle })
    link.on('down', () => {
      for (const entry of this.#sender.take(({ isImpatient }) => isImpatient)) this.#settle(entry, cutOff(entry, link))
    })
  }

  /** @throws ErrandError `BROKER_UNREACHABLE`, `BROKER_CLOSED`, `PUBLISH_TIMEOUT`, `PUBLISH_UNROUTABLE`, `QUEUE_FULL`, `PAYLOAD_TOO_LARGE` */
  publish(publication: Publication, whenAway: 'wait' | 'reject' = 'wait'): Promise<void> {
    return new Promise((resolve, reject) => {
      const isImpatient = whenAway === 'reject'
      const refusal = this.#refusal(publication, isImpatient)
      if (refusal !== undefined) {
        reject(refusal)
        return
      }
      const route = routeOf(publication, this.#topology)
      const lane = this.#sender.laneOf(publication, route)
      const deadline = this.#options.clock.now() + this.#options.confirmTimeoutMs
      const state = { isSent: false, isReturned: false, isSecondTry: false, sentAt: 0, refusals: 0, isSettled: false }
      this.#held += 1
      this.#heldBytes += publication.body.length
      this.#sender.add({ publication, route, lane, deadline, resolve, reject, isImpatient, ...state })
      if (!this.#isSweeping) this.#sweepLater()
    })
  }

  /** Waits at most `ms` until nothing is under way; answers whether it came to that. Without a connection it waits for nothing. */
  async drained(ms: number): Promise<boolean> {
    if (this.#held > 0 && this.#link.session !== undefined) {
      const empty = deferred<undefined>()
      this.#onEmpty = () => empty.resolve(undefined)
      await within(empty.promise, ms, () => undefined)
    }
    return this.#held === 0
  }

  /** Takes nothing more, waits for what is under way, at most `ms`, and rejects the rest. */
  async close(ms: number): Promise<void> {
    this.#isClosed = true
    if (ms > 0) await this.drained(ms)
    for (const entry of this.#sender.take(() => true)) this.#settle(entry, closedError(publishing(entry)))
  }

  #refusal(publication: Publication, isImpatient: boolean): ErrandError | undefined {
    const what = `Cannot publish to "${publication.queue}"`
    if (this.#isClosed) return closedError(what)
    if (isImpatient && this.#link.session === undefined) return this.#link.unreachable(what)
    const { messages, bytes } = this.#limits
    const isFull = this.#held >= messages || this.#heldBytes + publication.body.length > bytes
    return isFull ? bufferFull(publication.queue, this.#held) : tooLarge(publication)
  }

  #sweepLater(): void {
    this.#isSweeping = true
    const everyMs = Math.min(1000, Math.max(20, this.#options.confirmTimeoutMs / 20))
    outside(() => this.#options.clock.after(everyMs, () => this.#sweep()))
  }

  /** Rejects what is past its deadline. */
  #sweep(): void {
    this.#isSweeping = false
    const now = this.#options.clock.now()
    const timeoutMs = this.#options.confirmTimeoutMs
    for (const entry of this.#sender.take(({ deadline }) => now >= deadline)) this.#settle(entry, late(entry, this.#link, timeoutMs))
    this.#sender.check(now)
    if (this.#held > 0 && !this.#isSweeping) this.#sweepLater()
  }

  #settle(entry: Entry, error?: unknown): void {
    if (entry.isSettled) return
    entry.isSettled = true
    this.#held -= 1
    this.#heldBytes -= entry.publication.body.length
    if (error === undefined) entry.resolve()
    else entry.reject(error)
    if (this.#held === 0) this.#onEmpty?.()
  }
}
