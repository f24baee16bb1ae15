import { setTimeout as sleep } from 'node:timers/promises'
import { currentScope } from '../core/context.js'
import { toMs, type Duration } from '../core/duration.js'
import { refuseUnknownKeys, show, withoutUndefined } from '../core/options.js'
import { ErrandError } from '../errors.js'

export interface TimedQueryOptions {
  /** Tries after a first one that found nothing: a whole number from 0 up. @defaultValue 10 */
  readonly retries?: number | undefined
  /** Between two tries: seconds, or a text such as `'500ms'`. @defaultValue 6 */
  readonly interval?: Duration | undefined
  /** Before the first try: most rows are there by then. @defaultValue 1 */
  readonly firstWait?: Duration | undefined
  /** Ends the wait when it aborts. @defaultValue the signal of the running task */
  readonly signal?: AbortSignal | undefined
}

const DEFAULTS = { retries: 10, interval: 6, firstWait: 1 } as const

/**
 * Asks `query` until it finds something, for about a minute: for a row that the caller of a task commits a little after the call.
 * `undefined`, `null` and an empty list are nothing found.
 * @returns what was found, or `undefined` when the last try found nothing
 * @throws ErrandError `OPTION_INVALID`, what `query` throws, and the reason of the signal
 * @example
 * const order = await timedQuery(() => orders.find(id))
 * if (order === undefined) throw new Error(`no order ${id}`)
 */
export async function timedQuery<T>(
  query: () => T | Promise<T>,
  options: TimedQueryOptions = {},
): Promise<Exclude<T, undefined | null> | undefined> {
  const { retries, intervalMs, firstWaitMs, signal } = resolve(options)
  await pause(firstWaitMs, signal)
  for (let left = retries; ; left--) {
    signal?.throwIfAborted()
    const answer = await query()
    // the excluded values were just ruled out
    if (isFound(answer)) return answer as Exclude<T, undefined | null>
    if (left === 0) return undefined
    await pause(intervalMs, signal)
  }
}

function resolve(given: TimedQueryOptions) {
  refuseUnknownKeys('timedQuery()', given, [...Object.keys(DEFAULTS), 'signal'])
  const { retries, interval, firstWait, signal } = { ...DEFAULTS, signal: undefined, ...withoutUndefined(given) }
  if (!(Number.isInteger(retries) && retries >= 0)) {
    throw new ErrandError('OPTION_INVALID', `timedQuery() retries must be a whole number from 0 up, got ${show(retries)}.`)
  }
  return {
    retries,
    intervalMs: toMs(interval, 'timedQuery() interval'),
    firstWaitMs: toMs(firstWait, 'timedQuery() firstWait'),
    signal: signal ?? currentScope()?.task?.signal.signal,
  }
}

const isFound = (answer: unknown): boolean => answer !== undefined && answer !== null && !(Array.isArray(answer) && answer.length === 0)

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal })
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}
