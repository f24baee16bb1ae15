import type { Carrier } from '../core/carrier.js'
import { refuseUnknownKeys } from '../core/options.js'
import { loadPackage } from './load-package.js'

/** How the trace of a request travels. */
export interface OpenTelemetryOptions {
  /** The module `@opentelemetry/api`, for bundled applications, where it cannot be found by name. */
  readonly api?: OpenTelemetryApi | undefined
}

/** What this library uses of `@opentelemetry/api`. */
export interface OpenTelemetryApi {
  readonly ROOT_CONTEXT: unknown
  readonly context: {
    active(): unknown
    with<T>(context: never, fn: () => T): T
  }
  readonly propagation: {
    inject(context: never, carrier: Record<string, string>): void
    extract(context: never, carrier: Readonly<Record<string, string>>): unknown
  }
}

type State = Readonly<Record<string, string>>

/**
 * Carries what the application's OpenTelemetry propagator does: with the usual one the trace (`traceparent`, `tracestate`) and
 * the baggage, so that spans of the body belong to the trace of the request. It travels readable under `seal: secrets`, as it
 * does in HTTP; put no secret into baggage.
 *
 * @example carry(openTelemetry())
 * @throws ErrandError `PACKAGE_MISSING` at the first call
 */
export function openTelemetry(options: OpenTelemetryOptions = {}): Carrier<State> {
  refuseUnknownKeys('openTelemetry', options, ['api'])
  let loaded = options.api
  const load = (): OpenTelemetryApi => (loaded ??= loadApi())
  return {
    name: 'opentelemetry',
    isPublic: true,
    capture: () => capture(load()),
    restore: (state, next) => restore(load(), state, next),
  }
}

// this much of the API is stable since its version 1.0
const loadApi = (): OpenTelemetryApi => loadPackage('@opentelemetry/api', 'The carrier openTelemetry()') as OpenTelemetryApi

function capture({ context, propagation }: OpenTelemetryApi): State | undefined {
  const state: Record<string, string> = {}
  // contexts are opaque: what the API gave goes back to it
  propagation.inject(context.active() as never, state)
  return Object.keys(state).length === 0 ? undefined : state
}

/** From the root, not from what is active: a task belongs to the trace of its caller alone. */
function restore<T>({ context, propagation, ROOT_CONTEXT }: OpenTelemetryApi, state: State, next: () => T): T {
  return context.with(propagation.extract(ROOT_CONTEXT as never, state) as never, next)
}
