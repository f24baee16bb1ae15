/** A class of errors, or a code that errors carry. */
export type ErrorKind = string | (abstract new (...args: never[]) => unknown)

/** When a body that threw runs again. */
export interface RetryRule {
  /** Further runs; `undefined` leaves it to the configuration. */
  readonly retries: number | undefined
  /** Wait before the second run, before jitter. */
  readonly backoffMs: number
  readonly retryIf: ((error: unknown) => boolean) | undefined
  /** Errors that deserve no other run, whatever `retryIf` says. */
  readonly noRetryOn?: readonly ErrorKind[] | undefined
  /** Decides instead of all of this; `undefined`: there is no other run. Only tasks of this library have one. */
  readonly plan?: ((failure: PlannedFailure) => number | undefined) | undefined
}

/** What a rule that decides by itself is told. */
export interface PlannedFailure {
  /** From 1. */
  readonly failures: number
  readonly error: unknown
}

/** However often a task failed, it waits no longer than this between two runs, unless its first wait is longer. */
const LONGEST_BACKOFF_MS = 3_600_000
/** A millisecond doubled so often is longer than the longest wait. */
const MOST_DOUBLINGS = 40

/**
 * The wait before the run after a body threw for the `failures`-th time (from 1), or `undefined` when there is none. Exponential
 * with factor 2 and full jitter, so that tasks that failed together do not come back together.
 */
export function retryDelay(
  rule: RetryRule,
  failure: { readonly failures: number; readonly error: unknown; readonly defaultRetries: number },
  random: () => number = Math.random,
): number | undefined {
  if (rule.plan !== undefined) return rule.plan(failure)
  if (failure.failures > (rule.retries ?? failure.defaultRetries)) return undefined
  if (rule.noRetryOn?.some((kind) => isOfKind(failure.error, kind)) === true) return undefined
  if (rule.retryIf !== undefined && !rule.retryIf(failure.error)) return undefined
  const doubled = rule.backoffMs * 2 ** Math.min(failure.failures - 1, MOST_DOUBLINGS)
  const ceiling = Math.min(doubled, Math.max(LONGEST_BACKOFF_MS, rule.backoffMs))
  return Math.round(random() * ceiling)
}

function isOfKind(error: unknown, kind: ErrorKind): boolean {
  if (typeof kind !== 'string') return error instanceof kind
  return typeof error === 'object' && error !== null && Reflect.get(error, 'code') === kind
}
