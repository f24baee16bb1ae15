import { Cron } from 'croner'
import { ErrandError } from '../../errors.js'
import { show } from '../options.js'

/** Five fields, or six with seconds first, or a word such as `@daily`. A date would be taken for a job that runs once. */
const FORM = /^\s*(?:@[a-z]+|\S+(?:[ \t]+\S+){4,5})\s*$/i
const LONGEST = 200

/** Times that follow one another for ever. */
export interface Times {
  /** The first of them after `afterMs`; `undefined` where none is left. Milliseconds since the epoch, as all times here. */
  readonly next: (afterMs: number) => number | undefined
}

/**
 * The times of a cron pattern on the clocks of `timezone`. A time that a clock change leaves out comes right after it, one that
 * comes twice counts once.
 * @throws ErrandError `OPTION_INVALID` naming `where`
 */
export function cronTimes(pattern: string, timezone: string, where: string): Times {
  if (typeof pattern !== 'string' || pattern.length > LONGEST || !FORM.test(pattern)) throw badPattern(where, pattern, 'it has not five or six fields')
  refuseUnknownZone(timezone, where)
  const cron = parse(pattern, timezone, where)
  const next = (afterMs: number): number | undefined => cron.nextRun(new Date(afterMs))?.getTime()
  if (next(Date.UTC(2024, 0, 1)) === undefined) throw badPattern(where, pattern, 'no day ever matches it')
  return { next }
}

/** The times that are whole multiples of `everyMs` since the epoch, so that every process finds the same ones. */
export const everyTimes = (everyMs: number): Times => ({ next: (afterMs) => (Math.floor(afterMs / everyMs) + 1) * everyMs })

function parse(pattern: string, timezone: string, where: string): Cron {
  try {
    return new Cron(pattern.trim(), { timezone, paused: true })
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.replace(/^CronPattern: /, '').replace(/\.$/, '') : 'it cannot be read'
    throw badPattern(where, pattern, why, { cause })
  }
}

/** @throws ErrandError `OPTION_INVALID` */
function refuseUnknownZone(timezone: string, where: string): void {
  try {
    if (typeof timezone === 'string' && timezone !== '' && new Intl.DateTimeFormat('en', { timeZone: timezone })) return
  } catch {
    // told below
  }
  throw new ErrandError('OPTION_INVALID', `${where} timezone must be the name of a time zone such as 'Europe/Rome' or 'UTC', got ${show(timezone)}.`)
}

function badPattern(where: string, pattern: unknown, why: string, options?: ErrorOptions): ErrandError {
  return new ErrandError(
    'OPTION_INVALID',
    `${where} cron must be minute, hour, day of month, month and day of week, such as '0 6 * * 1', got ${show(pattern)}: ${why}.`,
    options,
  )
}
