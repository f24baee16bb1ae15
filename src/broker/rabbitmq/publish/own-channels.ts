import type { Flight } from './flight.js'
import type { Lane } from './lane.js'

/** A connection has 2047 channels, and each costs the server memory. */
const MOST = 64

/** Of these, kept for lanes whose confirms do not come. */
const KEPT = 16

/** The channels that one lane has for itself. */
export class OwnChannels {
  /** Without a flight: being opened. */
  readonly #flights = new Map<Lane, Flight | undefined>()

  of(lane: Lane): Flight | undefined {
    return this.#flights.get(lane)
  }

  /** Whether a channel is to be opened for the lane; it then counts as being opened. */
  claim(lane: Lane): boolean {
    if (this.#flights.has(lane) || this.#flights.size >= (lane.isApart ? MOST : MOST - KEPT)) return false
    this.#flights.set(lane, undefined)
    return true
  }

  /** Hands in what was opened for the lane; answers `false` when it is not wanted any more. */
  assign(lane: Lane, flight: Flight): boolean {
    if (!this.#flights.has(lane)) return false
    this.#flights.set(lane, flight)
    return true
  }

  /** The lane has it no longer, if it had it. */
  release(flight: Flight): void {
    const { lane } = flight
    if (lane !== undefined && this.#flights.get(lane) === flight) this.#flights.delete(lane)
  }

  /** Those of lanes that have nothing to send. */
  idle(): readonly Flight[] {
    return [...this.#flights.values()].filter((flight) => flight?.lane?.size === 0 && flight.lane.inFlight === 0).filter((flight) => flight !== undefined)
  }

  clear(): void {
    this.#flights.clear()
  }
}
