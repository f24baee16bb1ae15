import { toMs, type Duration } from '../../core/duration.js'
import { refuseUnknownKeys, show } from '../../core/options.js'
import { ErrandError } from '../../errors.js'
import type { DeadLetter } from './letter.js'

/** Which dead letters are meant: those for which everything that is given holds. `{}` means all. */
export interface DeadLetterFilter {
  /** The queue they came from. @defaultValue every queue of the configuration and of the tasks that this process knows */
  readonly queue?: string | undefined
  readonly task?: string | undefined
  /** Code of the reason: `TASK_FAILED`, `TASK_UNKNOWN`, … */
  readonly code?: string | undefined
  /** `id` of the user who asked. */
  readonly user?: string | number | undefined
  /** Died then or later: a moment, or how long ago (`'1h'`; a number is seconds). */
  readonly since?: Date | Duration | undefined
  /** Died before then: a moment, or how long ago. */
  readonly until?: Date | Duration | undefined
}

export const FILTER_KEYS = ['queue', 'task', 'code', 'user', 'since', 'until'] as const

/** Whether a letter is meant. */
export type Matcher = (letter: DeadLetter) => boolean

/** @throws ErrandError `OPTION_INVALID` */
export function matcherOf(where: string, filter: DeadLetterFilter, now: number): Matcher {
  refuseUnknownKeys(where, filter, FILTER_KEYS)
  const { queue, task, code, user } = filter
  for (const [name, value] of Object.entries({ queue, task, code })) refuseUnlessText(where, name, value)
  const since = momentOf(where, 'since', filter.since, now)
  const until = momentOf(where, 'until', filter.until, now)
  const isInTime = (diedAt: Date | undefined): boolean => {
    if (since === undefined && until === undefined) return true
    const at = diedAt?.getTime()
    return at !== undefined && at >= (since ?? -Infinity) && at < (until ?? Infinity)
  }
  return (letter) =>
    (queue === undefined || letter.queue === queue) &&
    (task === undefined || letter.task === task) &&
    (code === undefined || letter.reason.code === code) &&
    (user === undefined || letter.userId === String(user)) &&
    isInTime(letter.diedAt)
}

function refuseUnlessText(where: string, name: string, value: unknown): void {
  if (value === undefined || (typeof value === 'string' && value !== '')) return
  throw new ErrandError('OPTION_INVALID', `${where} takes a text as "${name}", got ${show(value)}.`)
}

function momentOf(where: string, name: string, given: Date | Duration | undefined, now: number): number | undefined {
  if (given === undefined) return undefined
  if (!(given instanceof Date)) return now - toMs(given, `"${name}" of ${where}`)
  if (!Number.isNaN(given.getTime())) return given.getTime()
  throw new ErrandError('OPTION_INVALID', `${where} takes a moment or a duration as "${name}", got an invalid Date.`)
}
