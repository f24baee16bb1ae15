/** The part of a channel that settles deliveries. */
export interface SettlingChannel {
  ack(message: TagHolder, allUpTo?: boolean): void
  nack(message: TagHolder, allUpTo?: boolean, requeue?: boolean): void
  reject(message: TagHolder, requeue?: boolean): void
}

/** What the client library takes for a message when it settles one: it reads the tag alone. */
export interface TagHolder {
  readonly fields: { readonly deliveryTag: number }
}

/** An acknowledgement that could go together with earlier ones waits for them no longer than this. */
const LONGEST_WAIT_MS = 5

/**
 * Acknowledges the deliveries of one channel, many with one frame: everything up to the first delivery that still runs, at the
 * end of the event-loop turn. On a channel that is gone it does nothing, since its tags mean other messages elsewhere.
 */
export class Acknowledger {
  readonly #channel: SettlingChannel
  readonly #onStale: () => void
  /** Delivered and not settled, in the order of delivery. */
  readonly #running = new Set<number>()
  /** Done and not yet acknowledged. */
  #done: number[] = []
  /** Deliveries so far. */
  total = 0
  #isClosed = false
  #isFlushing = false
  /** What is to be sent later, in order. */
  #held: (() => void)[] | undefined
  #outstanding = 0
  #timer: NodeJS.Timeout | undefined

  constructor(channel: SettlingChannel, onStale: () => void) {
    this.#channel = channel
    this.#onStale = onStale
  }

  /** Deliveries handed out and not settled. */
  get running(): number {
    return this.#running.size
  }

  /** Deliveries that the server knows as not settled, since {@link hold}. */
  get outstanding(): number {
    return this.#outstanding
  }

  delivered(tag: number): void {
    this.total += 1
    this.#running.add(tag)
    this.#outstanding += 1
  }

  /** Sends nothing until {@link resume}: with every delivery that is settled the server may send one more. */
  hold(): void {
    if (this.#isClosed || this.#held !== undefined) return
    this.#held = []
    this.#outstanding = this.#running.size + this.#done.length
  }

  resume(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const send of held) this.#tell(send)
  }

  done(tag: number): void {
    if (!this.#settles(tag)) return
    this.#done.push(tag)
    if (this.#isFlushing) return
    this.#isFlushing = true
    setImmediate(() => this.#endOfTurn())
  }

  /** Gives it back to the queue, where it does not count as a run as far as the server can tell. */
  release(tag: number): void {
    if (this.#settles(tag)) this.#tell(() => this.#channel.nack(holder(tag), false, true))
  }

  /** Gives it back as a run that was lost. */
  lost(tag: number): void {
    if (this.#settles(tag)) this.#tell(() => this.#channel.reject(holder(tag), true))
  }

  /** Sends every acknowledgement that is due. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#acknowledgeRun()
    for (const tag of this.#done) this.#tell(() => this.#channel.ack(holder(tag)))
    this.#done = []
  }

  /** The channel is gone: from now on nothing is settled here. */
  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    this.#done = []
    this.#held = undefined
    this.#running.clear()
  }

  #settles(tag: number): boolean {
    if (!this.#isClosed && this.#running.delete(tag)) return true
    this.#onStale()
    return false
  }

  #endOfTurn(): void {
    this.#isFlushing = false
    if (this.#isClosed) return
    this.#acknowledgeRun()
    // waiting for a slow one must not keep the server from sending more
    if (this.#done.length >= this.#running.size) this.flush()
    else if (this.#done.length > 0) this.#timer ??= setTimeout(() => this.flush(), LONGEST_WAIT_MS)
  }

  /** One frame for all that are done and have nothing running before them. */
  #acknowledgeRun(): void {
    const [oldest = Infinity] = this.#running
    let last = 0
    const later: number[] = []
    for (const tag of this.#done) {
      if (tag > oldest) later.push(tag)
      else if (tag > last) last = tag
    }
    // the last one must be outstanding on the server, which it is: it was not acknowledged before
    const isForMany = this.#done.length - later.length > 1
    if (last > 0) this.#tell(() => this.#channel.ack(holder(last), isForMany))
    this.#done = later
  }

  #tell(send: () => void): void {
    if (this.#held !== undefined) {
      this.#held.push(send)
      return
    }
    try {
      send()
    } catch {
      // the channel closed a moment ago: the server hands the messages out again
      this.#isClosed = true
    }
  }
}

const holder = (deliveryTag: number): TagHolder => ({ fields: { deliveryTag } })
