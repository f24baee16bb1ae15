import type { Broker, ConsumeOptions, Delivery, Subscription, Verdict } from '../src/broker/broker.js'
import { LazySignal } from '../src/core/lazy-signal.js'
import type { Executor } from '../src/runtime/execute.js'

export interface LoopOptions {
  readonly broker: Broker
  readonly executor: Executor
  readonly queues: readonly string[]
  /** Tasks that run at once, over all queues. */
  readonly concurrency: number
  /** See `ConsumeOptions.begin`. */
  readonly begin?: ConsumeOptions['begin']
  /** Called once, when a first task came to its end. */
  readonly onFirstEnd?: (() => void) | undefined
}

/** A delivery in this process, running or waiting for its turn. */
interface InHand {
  readonly delivery: Delivery
  readonly signal: LazySignal
  readonly settle: (verdict: Verdict) => void
  /** Ends it as a run that a crash ended. */
  readonly lose: (reason: unknown) => void
}

const HAND_BACK: Verdict = { kind: 'release' }

/** Takes deliveries from the queues and runs them, so many at once. */
export class Loop {
  readonly #options: LoopOptions
  readonly #running = new Set<InHand>()
  /** Every queue may fill the worker alone, so together they may deliver more than it runs: the rest wait here in order. */
  readonly #waiting: InHand[] = []
  /** By queue. */
  readonly #subscriptions = new Map<string, Subscription>()
  #isQuiet = false
  /** Nothing can come any more; what does so anyway goes back at once. */
  #hasLeft = false
  #hasEnded = false
  #onEmpty: (() => void) | undefined

  constructor(options: LoopOptions) {
    this.#options = options
  }

  /** How many tasks run. */
  get running(): number {
    return this.#running.size
  }

  /**
   * Consumes all queues, also where one of them fails; after a failure, asked again, those it does not consume yet.
   * @throws what the broker refuses with
   */
  async start(): Promise<void> {
    const missing = this.#options.queues.filter((queue) => !this.#subscriptions.has(queue))
    const consuming = missing.map((queue) => this.#consume(queue))
    await Promise.allSettled(consuming)
    await Promise.all(consuming)
  }

  async #consume(queue: string): Promise<void> {
    const { broker, concurrency, queues } = this.#options
    // what several queues deliver may have to wait here for its turn
    const begin = queues.length === 1 ? this.#options.begin : undefined
    const subscription = await broker.consume(queue, { concurrency, begin }, (delivery) => this.#take(delivery))
    if (this.#isQuiet) await subscription.stop()
    else this.#subscriptions.set(queue, subscription)
  }

  /** Takes nothing new, and hands back what has not begun. */
  async quiet(): Promise<void> {
    this.#isQuiet = true
    const waiting = this.#waiting.splice(0)
    try {
      // first of all, or what goes back would come again at once
      await Promise.all([...this.#subscriptions.values()].map((subscription) => subscription.stop()))
    } finally {
      this.#hasLeft = true
      for (const { settle } of [...waiting, ...this.#waiting.splice(0)]) settle(HAND_BACK)
    }
  }

  /** Resolves when nothing runs. */
  empty(): Promise<void> {
    if (this.#running.size === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#onEmpty = resolve
    })
  }

  /** Aborts what runs; the executor releases what fails from now on. */
  abort(reason: unknown): void {
    for (const { signal } of this.#running) signal.abort(reason)
  }

  /** Hands back what still runs: it will be run again, although nothing can stop the code here. */
  handBack(): void {
    for (const { settle } of this.#running) settle(HAND_BACK)
  }

  /**
   * Hands back everything, within `ms`, because this process is about to end. Only the task whose id is `culprit` counts a crash.
   */
  async abandon(culprit: string | undefined, reason: unknown, ms: number): Promise<void> {
    const quiet = this.quiet().catch(() => {}) // what cannot be handed back comes again as after a crash
    const condemned = Promise.all([...this.#running].filter(({ delivery }) => delivery.id === culprit).map((inHand) => this.#lost(inHand, reason)))
    let timer: NodeJS.Timeout | undefined
    await Promise.race([Promise.all([quiet, condemned]), new Promise((resolve) => (timer = setTimeout(resolve, ms)))])
    clearTimeout(timer)
    for (const { delivery, signal, settle, lose } of this.#running) {
      if (delivery.id === culprit) lose(reason)
      else settle(HAND_BACK)
      signal.abort(reason)
    }
  }

  #take(delivery: Delivery): Promise<Verdict> {
    return new Promise((settle, lose) => {
      const inHand = { delivery, signal: new LazySignal(() => delivery.lost), settle, lose }
      const mayRun = delivery.begun !== undefined || (!this.#isQuiet && this.#running.size < this.#options.concurrency)
      if (mayRun) this.#run(inHand)
      else if (this.#hasLeft) settle(HAND_BACK)
      else this.#waiting.push(inHand)
    })
  }

  /** Never rejects. */
  async #lost({ delivery, settle, lose }: InHand, reason: unknown): Promise<void> {
    try {
      settle(await this.#options.executor.lost(delivery, reason))
    } catch (error) {
      lose(error)
    }
  }

  #run(inHand: InHand): void {
    this.#running.add(inHand)
    void this.#options.executor.run(inHand.delivery, inHand.signal).then(
      (verdict) => {
        inHand.settle(verdict)
        this.#leave(inHand)
        if (verdict.kind !== 'release' && verdict.kind !== 'later') this.#ended()
      },
      (error: unknown) => {
        inHand.lose(error)
        this.#leave(inHand)
      },
    )
  }

  /** Its place is free for the next. */
  #leave(inHand: InHand): void {
    this.#running.delete(inHand)
    const next = this.#isQuiet ? undefined : this.#waiting.shift()
    if (next !== undefined) this.#run(next)
    else if (this.#running.size === 0) this.#onEmpty?.()
  }

  #ended(): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#options.onFirstEnd?.()
  }
}
