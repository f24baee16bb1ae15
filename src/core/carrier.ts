import { ErrandError } from '../errors.js'
import { processState } from './process-state.js'

/**
 * Brings a piece of ambient state (a tenant, a cls-hooked namespace, a trace) from the call to the run. Registered in both
 * processes: in a module that the services import, or by name in the `carriers` key of the configuration.
 */
export interface Carrier<State = unknown> {
  /** Unique; it names the state in the message. */
  readonly name: string
  /**
   * Its state holds nothing secret, and may travel readable under `seal: secrets`. The states of other carriers are always
   * encrypted. @defaultValue false
   */
  readonly isPublic?: boolean | undefined
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
  carriers.set(carrier.name, carrier)
}

/** The carriers in use, by name. */
export const carriersInUse = (): ReadonlyMap<string, Carrier> => carriers

/**
 * The states of all carriers in use at this moment, by name; `undefined` when there are none.
 * @throws ErrandError `VALUE_UNSERIALIZABLE` naming the carrier that threw; an `ErrandError` of a carrier as it is
 */
export function captureCarriers(): Record<string, unknown> | undefined {
  if (carriers.size === 0) return undefined
  let states: Record<string, unknown> | undefined
  for (const carrier of carriers.values()) {
    const state = capture(carrier)
    if (state !== undefined) (states ??= {})[carrier.name] = state
  }
  return states
}

/**
 * Runs `next` with all states restored, the first one outermost, and returns what it returns.
 * @throws ErrandError `CONTEXT_UNRESTORABLE` naming the carrier that is not in use here, threw, or never called `next`
 */
export function restoreCarriers<T>(states: Readonly<Record<string, unknown>> | undefined, next: () => T): T {
  if (states === undefined) return next()
  const known = Object.entries(states).map(([name, state]) => ({ carrier: inUse(name), state }))
  return known.reduceRight((inner, { carrier, state }) => () => restore(carrier, state, inner), next)()
}

function capture(carrier: Carrier): unknown {
  try {
    return carrier.capture()
  } catch (cause) {
    if (cause instanceof ErrandError) throw cause
    throw new ErrandError(
      'VALUE_UNSERIALIZABLE',
      `Cannot send the call: the carrier "${carrier.name}" threw when it captured its state (see the cause). ` +
        'Correct its capture().',
      { cause },
    )
  }
}

function inUse(name: string): Carrier {
  const carrier = carriers.get(name)
  if (carrier !== undefined) return carrier
  throw new ErrandError(
    'CONTEXT_UNRESTORABLE',
    `Cannot restore the context: the message has a state of the carrier "${name}", which this process does not use. ` +
      'Call carry() in a module that the services import, or name it under "carriers" in the configuration.',
  )
}

/** A throw after `next` was entered is the body's own; before, it is the carrier's. */
function restore<T>(carrier: Carrier, state: unknown, next: () => T): T {
  let isEntered = false
  const enter = (): T => {
    isEntered = true
    return next()
  }
  let result: T
  try {
    result = carrier.restore(state, enter)
  } catch (error) {
    throw isEntered ? error : unrestorable(carrier, error)
  }
  if (isEntered) return result
  if (!(result instanceof Promise)) throw unrestorable(carrier, undefined)
  // a carrier that has to wait before it calls next; T is the promise
  return checkLater(carrier, result, () => isEntered) as T
}

async function checkLater(carrier: Carrier, result: Promise<unknown>, isEntered: () => boolean): Promise<unknown> {
  try {
    const value = await result
    if (isEntered()) return value
  } catch (error) {
    throw isEntered() ? error : unrestorable(carrier, error)
  }
  throw unrestorable(carrier, undefined)
}

function unrestorable(carrier: Carrier, cause: unknown): ErrandError {
  if (cause instanceof ErrandError) return cause
  const why = cause === undefined ? 'returned without calling next()' : 'threw (see the cause)'
  const message = `Cannot restore the context: the carrier "${carrier.name}" ${why}. Correct its restore().`
  return new ErrandError('CONTEXT_UNRESTORABLE', message, cause === undefined ? undefined : { cause })
}
