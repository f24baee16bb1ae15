import { processState } from './process-state.js'

/**
 * Brings a piece of ambient state (a tenant, a cls-hooked namespace, a trace) from the call to the run. Registered in both
 * processes: in a module that the services import, or by name in the `carriers` key of the configuration.
 */
export interface Carrier<State = unknown> {
  /** Unique; it names the state in the message. */
  readonly name: string
  /** The state to carry, made of values a message can hold; `undefined` when there is nothing to carry. Runs at every call. */
  capture(): State | undefined
  /**
   * Makes `state` hold for `next` and everything it awaits, and returns what `next` returns. A throw fails the task with
   * `CONTEXT_UNRESTORABLE`.
   */
  restore<T>(state: State, next: () => T): T
}

const carriers = processState('carriers', () => new Map<string, Carrier>())

/** Uses `carrier` for every call and run of this process; one of the same name is replaced. */
export function carry<State>(carrier: Carrier<State>): void {
  // a carrier gets back only states that it captured itself, found by its name
  carriers.set(carrier.name, carrier as Carrier)
}

/** The carriers in use, by name. */
export const carriersInUse = (): ReadonlyMap<string, Carrier> => carriers
