import type { ConsumeMessage } from 'amqplib'
import type { Lease } from './lease.js'

/** Delivered while every place is taken. */
export interface Buffered {
  readonly lease: Lease
  readonly message: ConsumeMessage
  /** Milliseconds since the epoch. */
  readonly since: number
}

/** The deliveries that wait in this process for a place, in order. */
export class Buffer {
  #waiting: Buffered[] = []

  get size(): number {
    return this.#waiting.length
  }

  push(waiting: Buffered): void {
    this.#waiting.push(waiting)
  }

  shift(): Buffered | undefined {
    return this.#waiting.shift()
  }

  /** Forgets what came on a channel that is gone. */
  drop(lease: Lease): void {
    this.#waiting = this.#waiting.filter((waiting) => waiting.lease !== lease)
  }

  /** Takes out those of which `isWanted` says so. */
  take(isWanted: (waiting: Buffered) => boolean): readonly Buffered[] {
    const taken = this.#waiting.filter(isWanted)
    this.#waiting = this.#waiting.filter((waiting) => !isWanted(waiting))
    return taken
  }
}
