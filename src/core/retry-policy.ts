/** When a body that threw runs again. */
export interface RetryRule {
  /** Further runs; `undefined` leaves it to the configuration. */
  readonly retries: number | undefined
  /** Wait before the second run, before jitter. */
  readonly backoffMs: number
  readonly retryIf: ((error: unknown) => boolean) | undefined
}

/** However often a task failed, it waits no longer than this between two runs. */
const LONGEST_BACKOFF_MS = 3_600_000

/**
 * The wait before the run after `attempt` (from 1), or `undefined` when there is none. Exponential with factor 2 and full
 * jitter, so that tasks that failed together do not come back together.
 */
export function retryDelay(
  rule: RetryRule,
  failure: { readonly attempt: number; readonly error: unknown; readonly defaultRetries: number },
  random: () => number = Math.random,
): number | undefined {
  if (failure.attempt > (rule.retries ?? failure.defaultRetries)) return undefined
  if (rule.retryIf !== undefined && !rule.retryIf(failure.error)) return undefined
  const ceiling = Math.min(rule.backoffMs * 2 ** (failure.attempt - 1), LONGEST_BACKOFF_MS)
  return Math.round(random() * ceiling)
}
