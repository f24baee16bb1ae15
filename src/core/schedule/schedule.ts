import { ErrandError } from '../../errors.js'
import type { ContextInput } from '../context.js'
import { toMs, type Duration } from '../duration.js'
import { refuseUnknownKeys, show } from '../options.js'
import { cronTimes, everyTimes, type Times } from './cron.js'

/** When a schedule fires, as it is written. Exactly one of `cron` and `every` is given. */
export interface Timing {
  /** Minute, hour, day of month, month, day of week: `'0 6 * * 1'`; a sixth field in front is seconds; or `'@daily'` and its like. */
  readonly cron?: string | undefined
  /** A length of time of 1 s at least; it fires at whole multiples of it since 1970-01-01T00:00Z: `'15m'` on the quarter hours. */
  readonly every?: Duration | undefined
  /** The time zone whose clocks `cron` is read on. @defaultValue 'UTC' */
  readonly timezone?: string | undefined
  /**
   * What becomes of firings that were due while no worker ran: `'once'`: one run as soon as a worker is there, however many were
   * missed; `'skip'`: none. Up to a minute late is not missed. @defaultValue 'once'
   */
  readonly missed?: 'once' | 'skip' | undefined
}

/** What `@everyTask` takes. */
export interface ScheduleOptions extends Timing {
  /** Name of the schedule, once per service. @defaultValue the name of the task */
  readonly name?: string | undefined
  /** The context as which it runs, such as `{ user: { id: 'nightly' } }`. @defaultValue an empty one */
  readonly as?: ContextInput | undefined
  /** What the task is called with. @defaultValue [] */
  readonly arguments?: readonly unknown[] | undefined
}

/** A schedule of the configuration. */
export interface ConfiguredSchedule extends Timing {
  readonly task: string
  readonly name?: string | undefined
  readonly arguments?: readonly unknown[] | undefined
}

/** A schedule with every default filled in, frozen. */
export interface ResolvedSchedule {
  /** `undefined`: the name of its task. */
  readonly name: string | undefined
  /** As it was written: `0 6 * * 1 (Europe/Rome)`, `every 15m`. */
  readonly words: string
  readonly timing: Timing
  readonly times: Times
  readonly missed: 'once' | 'skip'
  readonly as: ContextInput
  readonly args: readonly unknown[]
}

const TIMING_KEYS = ['cron', 'every', 'timezone', 'missed']
const SHORTEST_MS = 1000
const NAME = /^[^\s\p{C}]{1,120}$/u

/** @throws ErrandError `OPTION_INVALID` naming `where` */
export function resolveSchedule(given: ScheduleOptions, where = '@everyTask'): ResolvedSchedule {
  if (typeof given !== 'object' || given === null) throw invalid(`${where} takes an object such as { cron: '0 6 * * 1' }, got ${show(given)}.`)
  refuseUnknownKeys(where, given, [...TIMING_KEYS, 'name', 'as', 'arguments'])
  const { name, as = {}, ...timing } = withoutArguments(given)
  const args: unknown = given.arguments ?? []
  if (name !== undefined && !(typeof name === 'string' && NAME.test(name))) {
    throw invalid(`${where} name must be a text of 1 to 120 characters without spaces, got ${show(name)}.`)
  }
  if (typeof as !== 'object' || as === null) throw invalid(`${where} as must be a context such as { user: { id: 'nightly' } }.`)
  if (!isList(args)) throw invalid(`${where} arguments must be a list.`)
  return Object.freeze({ ...resolveTiming(timing, where), name, as, args: Object.freeze([...args]) })
}

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value)

function withoutArguments({ arguments: _arguments, ...rest }: ScheduleOptions): Omit<ScheduleOptions, 'arguments'> {
  return rest
}

/** @throws ErrandError `OPTION_INVALID` naming `where` */
export function resolveTiming(timing: Timing, where: string): Pick<ResolvedSchedule, 'words' | 'timing' | 'times' | 'missed'> {
  const { cron, every, timezone, missed = 'once' } = timing
  if (missed !== 'once' && missed !== 'skip') throw invalid(`${where} missed must be 'once' or 'skip', got ${show(missed)}.`)
  if ((cron === undefined) === (every === undefined)) throw invalid(`${where} needs one of cron and every, and not both.`)
  if (cron !== undefined) {
    const zone = timezone ?? 'UTC'
    return { times: cronTimes(cron, zone, where), words: `${cron.trim()} (${zone})`, timing, missed }
  }
  if (timezone !== undefined) throw invalid(`${where} timezone has no effect on every; remove it, or use cron.`)
  const everyMs = toMs(every ?? 0, `${where} every`)
  if (everyMs < SHORTEST_MS) throw invalid(`${where} every must be 1 s at least, got ${show(every)}.`)
  return { times: everyTimes(everyMs), words: `every ${typeof every === 'number' ? `${every}s` : String(every)}`, timing, missed }
}

const invalid = (message: string): ErrandError => new ErrandError('OPTION_INVALID', message)
