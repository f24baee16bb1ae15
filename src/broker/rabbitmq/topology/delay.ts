/** The shortest delay of the levels; every delay is rounded up to a multiple of it. */
export const DELAY_STEP_MS = 100

/** Levels 0 to 28 double the step each time; together they reach 621 days, more than the longest delay of a call (366 days). */
export const DELAY_LEVELS = 29

const MOST_STEPS = 2 ** DELAY_LEVELS - 1

/** Where a delayed message enters the levels. */
export interface DelayRoute {
  /** The highest level it passes; levels 0 to this one must exist. */
  readonly level: number
  /** Which levels it waits in (`1`) and which it only passes (`0`), lowest first; then the destination as one word. */
  readonly routingKey: string
}

/**
 * The way through the levels that takes at least `delayMs`. The digits of the number of steps, lowest first, are the routing
 * key: a message waits in every level whose digit is 1, from the highest down.
 */
export function delayRoute(delayMs: number, word: string): DelayRoute {
  const steps = Math.min(MOST_STEPS, Math.max(1, Math.ceil(delayMs / DELAY_STEP_MS)))
  const digits = Array.from(steps.toString(2)).reverse()
  return { level: digits.length - 1, routingKey: `${digits.join('.')}.${word}` }
}

/** Milliseconds a message waits in level `level`. */
export const levelTtlMs = (level: number): number => DELAY_STEP_MS * 2 ** level

/**
 * A queue name as one word of a routing key: dots would make several words of it, and `*` and `#` are wildcards when they
 * stand alone.
 */
export const wordOf = (queue: string): string =>
  // half a surrogate pair cannot be encoded, nor sent: it becomes what the server would see
  encodeURIComponent(Buffer.from(queue).toString()).replace(/[.*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)
