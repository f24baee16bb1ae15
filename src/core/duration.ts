import { ErrandError } from '../errors.js'
import { show } from './options.js'

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const

/** A length of time: a number of **seconds**, or a text such as `'500ms'`, `'30s'`, `'10m'`, `'2h'`, `'7d'`, `'1w'`. */
export type Duration = number | `${number}${'' | ' '}${keyof typeof UNIT_MS}`

/** A year and a day: nothing waits longer, and timers and queue levels are sized for it. */
const LONGEST_MS = 366 * UNIT_MS.d

/**
 * Milliseconds of a {@link Duration}; texts of other forms, as a file may hold them, are refused. `what` names the option in the error.
 * @throws ErrandError `OPTION_INVALID` when it is negative, not finite, longer than 366 days, or not of that form.
 */
export function toMs(given: number | string, what: string): number {
  const ms = typeof given === 'number' ? given * 1000 : parse(given)
  if (ms === undefined || !Number.isFinite(ms) || ms < 0 || ms > LONGEST_MS) {
    throw new ErrandError(
      'OPTION_INVALID',
      `${what} must be seconds from 0 up or a text like '500ms', '30s', '10m', '2h', '7d' (366 days at most), got ${show(given)}.`,
    )
  }
  return Math.round(ms)
}

function parse(text: unknown): number | undefined {
  if (typeof text !== 'string') return undefined
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)$/.exec(text.trim())
  if (match === null) return undefined
  // the pattern admits these units only
  return Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS]
}
