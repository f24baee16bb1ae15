import { ErrandError } from '../errors.js'
import { show } from './options.js'

const PERIOD_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** So many starts in a second, minute, hour or day: `'10/s'`, `'4/m'`, `'100/h'`, `'1000/d'`. */
export type Rate = `${number}/${keyof typeof PERIOD_MS}`

/** How many runs of a task begin, and how many there are at once, over all workers. */
export interface LimitRule {
  /** Runs at once. */
  readonly concurrency: number | undefined
  /** The shortest time between two starts, in milliseconds; `undefined` without a rate. */
  readonly spacingMs: number | undefined
  /** What the runs are counted by: those of one answer together. Without it all runs of the task are. */
  readonly limitBy: ((...args: never[]) => string) | undefined
}

/** What may be said of limits at a task; see `TaskOptions`. */
export interface LimitOptions {
  readonly concurrency?: number | undefined
  readonly rate?: Rate | undefined
  readonly limitBy?: ((...args: never[]) => string) | undefined
}

/** Each place is a name that somebody may have to ask for. */
const MOST_AT_ONCE = 1_000
/** Closer starts than this are no limit that anybody could measure. */
const SHORTEST_SPACING_MS = 1

/** The rule of a task, or `undefined` where nothing limits it. @throws ErrandError `OPTION_INVALID` */
export function resolveLimits({ concurrency, rate, limitBy }: LimitOptions, where: string): LimitRule | undefined {
  if (concurrency !== undefined && !(Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= MOST_AT_ONCE)) {
    throw refusal(where, 'concurrency', `a whole number from 1 to ${MOST_AT_ONCE}`, concurrency)
  }
  if (limitBy !== undefined && typeof limitBy !== 'function') {
    throw refusal(where, 'limitBy', 'a function of the arguments that answers a text', limitBy)
  }
  const spacingMs = rate === undefined ? undefined : spacingOf(rate, where)
  if (concurrency === undefined && spacingMs === undefined) {
    if (limitBy === undefined) return undefined
    throw new ErrandError('OPTION_INVALID', `${where} limitBy says what is counted, and nothing is limited. Add concurrency or rate.`)
  }
  return Object.freeze({ concurrency, spacingMs, limitBy })
}

function spacingOf(rate: unknown, where: string): number {
  const match = typeof rate === 'string' ? /^([1-9]\d*)\/([smhd])$/.exec(rate) : null
  // the pattern admits these units only
  const spacingMs = match === null ? 0 : PERIOD_MS[match[2] as keyof typeof PERIOD_MS] / Number(match[1])
  if (spacingMs >= SHORTEST_SPACING_MS) return spacingMs
  throw refusal(where, 'rate', "starts per second, minute, hour or day, such as '10/s', '4/m', '100/h' or '1000/d' ('1000/s' at most)", rate)
}

const refusal = (where: string, option: string, wanted: string, got: unknown): ErrandError =>
  new ErrandError('OPTION_INVALID', `${where} ${option} must be ${wanted}, got ${show(got)}.`)
