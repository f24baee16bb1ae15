import { systemClock, type Clock } from '../../core/clock.js'
import { ErrandError, assertNever } from '../../errors.js'
import { deadQueueOf } from '../broker.js'
import type {
  Broker,
  BrokerFeatures,
  ConsumeOptions,
  Delivery,
  OutgoingMessage,
  QueueCount,
  Subscription,
  Verdict,
  Visit,
} from '../broker.js'

export interface MemoryBrokerOptions {
  /** Where time comes from. @defaultValue the system's clock */
  readonly clock?: Clock | undefined
}

/**
 * A broker inside this process: the reference implementation of the port, for tests. Nothing survives the process. Share the
 * queues by handing the instance around.
 */
export function openMemoryBroker(options: MemoryBrokerOptions = {}): Broker {
  return new MemoryBroker(options.clock ?? systemClock)
}

type Handler = (delivery: Delivery) => Promise<Verdict>

/** A delivery together with its place in the order of publishing, which it keeps through all attempts. */
interface Waiting {
  readonly place: number
  readonly delivery: Delivery
}

interface Queue {
  readonly isTemporary: boolean
  /** Due messages, next one first. */
  readonly due: Waiting[]
  delayed: number
  readonly consumers: Set<Consumer>
}

interface Consumer {
  readonly concurrency: number
  readonly handle: Handler
  inHand: number
}

/** The longest time a timer of the platform can wait; longer delays are waited for in steps. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

class MemoryBroker implements Broker {
  readonly features: BrokerFeatures = { name: 'memory', survivesRestart: false, crossHost: false, delayStepMs: 1, storesInOrder: true }
  readonly #clock: Clock
  readonly #queues = new Map<string, Queue>()
  readonly #timers = new Set<() => void>()
  #places = 0
  #isClosed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  async publish(message: OutgoingMessage): Promise<void> {
    this.#refuseClosed(`publish to queue "${message.queue}"`)
    if (message.toTemporary === true && this.#queues.get(message.queue)?.isTemporary !== true) {
      throw new ErrandError(
        'PUBLISH_UNROUTABLE',
        `Cannot publish to temporary queue "${message.queue}": its process is gone. Nobody waits for this message any more.`,
      )
    }
    const { id, queue, attempt = 1, priority = 4, delayMs = 0 } = message
    const body = Buffer.from(message.body)
    this.#put({ place: this.#places++, delivery: { id, queue, body, attempt, crashes: 0, priority } }, delayMs)
  }

  async consume(queue: string, options: ConsumeOptions, handle: Handler): Promise<Subscription> {
    this.#refuseClosed(`consume queue "${queue}"`)
    const { consumers } = this.#queue(queue, options.temporary)
    const consumer: Consumer = { concurrency: options.concurrency, handle, inHand: 0 }
    consumers.add(consumer)
    this.#pump(queue)
    return {
      stop: async () => {
        consumers.delete(consumer)
        if (options.temporary === true) this.#queues.delete(queue)
      },
    }
  }

  async count(queue: string): Promise<QueueCount> {
    this.#refuseClosed(`count queue "${queue}"`)
    return { waiting: this.#waiting(queue), dead: this.#waiting(deadQueueOf(queue)) }
  }

  async browse(name: string, visit: (delivery: Delivery) => Visit | Promise<Visit>): Promise<void> {
    this.#refuseClosed(`browse queue "${name}"`)
    const due = this.#queues.get(name)?.due ?? []
    for (const waiting of due.slice()) {
      const visited = await visit(waiting.delivery)
      if (visited.kind === 'stop') return
      const place = due.indexOf(waiting)
      // a consumer took it in the meantime
      if (visited.kind === 'keep' || place < 0) continue
      due.splice(place, 1)
      if (visited.kind === 'replace') await this.publish(visited.message)
    }
  }

  async ping(): Promise<void> {
    this.#refuseClosed('ping')
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const cancel of this.#timers) cancel()
    this.#timers.clear()
    this.#queues.clear()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #refuseClosed(what: string): void {
    if (this.#isClosed) throw new ErrandError('BROKER_CLOSED', `Cannot ${what}: the memory broker is closed. Open a new one.`)
  }

  #queue(name: string, isTemporary = false): Queue {
    let queue = this.#queues.get(name)
    if (queue === undefined) this.#queues.set(name, (queue = { isTemporary, due: [], delayed: 0, consumers: new Set() }))
    return queue
  }

  #waiting(name: string): number {
    const queue = this.#queues.get(name)
    return queue === undefined ? 0 : queue.due.length + queue.delayed
  }

  #put(waiting: Waiting, delayMs: number): void {
    const queue = this.#queue(waiting.delivery.queue)
    if (delayMs <= 0) return this.#putDue(queue, waiting)
    queue.delayed++
    this.#waitUntil(this.#clock.now() + delayMs, () => {
      queue.delayed--
      this.#putDue(queue, waiting)
    })
  }

  #waitUntil(due: number, fn: () => void): void {
    const leftMs = due - this.#clock.now()
    // a platform timer may fire a little early, hence the look at the clock each time
    if (leftMs <= 0) return fn()
    const cancel = this.#clock.after(Math.min(leftMs, LONGEST_TIMER_MS), () => {
      this.#timers.delete(cancel)
      this.#waitUntil(due, fn)
    })
    this.#timers.add(cancel)
  }

  #putDue(queue: Queue, waiting: Waiting): void {
    let low = 0
    let high = queue.due.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (isBefore(waiting, queue.due[middle])) high = middle
      else low = middle + 1
    }
    queue.due.splice(low, 0, waiting)
    this.#pump(waiting.delivery.queue)
  }

  #pump(name: string): void {
    const queue = this.#queues.get(name)
    if (queue === undefined) return
    for (const consumer of queue.consumers) {
      while (consumer.inHand < consumer.concurrency) {
        const next = queue.due.shift()
        if (next === undefined) return
        consumer.inHand++
        // a rejection cannot happen: #run settles in every case
        void this.#run(consumer, next)
      }
    }
  }

  async #run(consumer: Consumer, waiting: Waiting): Promise<void> {
    // a turn of the event loop later: `publish` and `consume` answer before the first delivery, as with every other broker
    await new Promise((resolve) => setImmediate(resolve))
    const verdict = await verdictOf(consumer.handle, waiting.delivery)
    consumer.inHand--
    if (!this.#queues.has(waiting.delivery.queue)) return
    this.#settle(waiting, verdict)
    this.#pump(waiting.delivery.queue)
  }

  #settle({ place, delivery }: Waiting, verdict: Verdict | undefined): void {
    const { queue, attempt, crashes } = delivery
    if (verdict === undefined) {
      return this.#put({ place, delivery: { ...delivery, attempt: attempt + 1, crashes: crashes + 1 } }, 0)
    }
    switch (verdict.kind) {
      case 'done':
        return
      case 'again':
        return this.#put({ place, delivery: { ...delivery, attempt: attempt + 1, note: verdict.note ?? delivery.note } }, verdict.delayMs)
      case 'later':
        return this.#put({ place, delivery }, verdict.delayMs)
      case 'release':
        return this.#put({ place, delivery }, 0)
      case 'dead':
        return this.#put({ place, delivery: { ...delivery, queue: deadQueueOf(queue), note: verdict.note } }, 0)
      default:
        return assertNever(verdict)
    }
  }
}

/** The verdict, or `undefined` where the handler threw: a lost run. */
async function verdictOf(handle: Handler, delivery: Delivery): Promise<Verdict | undefined> {
  try {
    return await handle(delivery)
  } catch {
    return undefined
  }
}

/** Whether `a` is to be delivered before `b`: higher priority first, then the order of publishing. */
function isBefore(a: Waiting, b: Waiting | undefined): boolean {
  if (b === undefined) return false
  if (a.delivery.priority !== b.delivery.priority) return a.delivery.priority > b.delivery.priority
  return a.place < b.place
}
