import { assert } from 'chai'
import { assert as hold, constantFrom, integer, property } from 'fast-check'
import type { ScheduleOptions } from 'errand'
import { cronTimes, everyTimes } from '#src/core/schedule/cron.js'
import { resolveSchedule } from '#src/core/schedule/schedule.js'
import { ErrandError } from '#src/errors.js'

const MINUTE = 60_000
const START = Date.UTC(2026, 0, 1)

function refusal(options: unknown): string {
  try {
    resolveSchedule(options as ScheduleOptions)
  } catch (error) {
    assert.instanceOf(error, ErrandError)
    assert.equal(error.code, 'OPTION_INVALID')
    return error.message
  }
  return assert.fail(`${JSON.stringify(options)} was accepted`)
}

/** What a clock on the wall shows at a time, as someone would check a pattern by hand. */
function wallClock(ms: number, timeZone: string): { minute: number; hour: number; day: number } {
  const format = new Intl.DateTimeFormat('en-GB', { timeZone, hour: 'numeric', minute: 'numeric', day: 'numeric', hourCycle: 'h23' })
  const parts = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]))
  return { minute: parts['minute'] ?? -1, hour: parts['hour'] ?? -1, day: parts['day'] ?? -1 }
}

describe('The times of a schedule', () => {
  it('are the next minute at which the wall clock of the time zone shows what the pattern says, away from clock changes', () => {
    const zones = constantFrom('UTC', 'Europe/Rome', 'Asia/Kolkata', 'America/New_York')
    const within = integer({ min: 0, max: 40 * 24 * 60 }) // January and some of February
    hold(
      property(zones, integer({ min: 0, max: 59 }), integer({ min: 0, max: 23 }), within, (zone, minute, hour, offset) => {
        const from = START + offset * MINUTE + 1
        const next = cronTimes(`${minute} ${hour} * * *`, zone, 'it').next(from) ?? 0
        let expected = Math.ceil(from / MINUTE) * MINUTE
        while (wallClock(expected, zone).minute !== minute || wallClock(expected, zone).hour !== hour) expected += MINUTE
        return next === expected
      }),
      { numRuns: 15 }, // a day of minutes is looked at in each
    )
  })

  it('follow one another without a gap and without end, whatever the place they are asked from', () => {
    const patterns = constantFrom('*/7 * * * *', '0 6 * * 1', '*/10 * * * * *', '@daily', '15,45 8-17 * * 1-5', '0 0 29 2 *')
    hold(
      property(patterns, integer({ min: 0, max: 1e9 }), (pattern, offset) => {
        const times = cronTimes(pattern, 'Europe/Rome', 'it')
        const first = times.next(START + offset) ?? 0
        const second = times.next(first) ?? 0
        return first > START + offset && second > first && times.next(second - 1) === second && times.next(first + Math.floor((second - first) / 2)) === second
      }),
    )
  })

  it('of an interval are its multiples, so that every process finds the same', () => {
    hold(
      property(integer({ min: 1000, max: 1e9 }), integer({ min: 0, max: 2e12 }), (everyMs, from) => {
        const next = everyTimes(everyMs).next(from)
        return next !== undefined && next % everyMs === 0 && next > from && next - from <= everyMs
      }),
    )
  })

  it('of an hour that a clock change leaves out come right after it, and of one that comes twice once', () => {
    const { next } = cronTimes('30 2 * * *', 'Europe/Rome', 'it')

    const spring = next(Date.UTC(2027, 2, 27, 12)) ?? 0
    assert.equal(new Date(spring).toISOString(), '2027-03-28T01:00:00.000Z') // 03:00 in Rome: there was no 02:30
    const autumn = next(Date.UTC(2027, 9, 30, 12)) ?? 0
    assert.equal(new Date(autumn).toISOString(), '2027-10-31T00:30:00.000Z')
    assert.equal(new Date(next(autumn) ?? 0).toISOString(), '2027-11-01T01:30:00.000Z')
  })

  it('are refused where they can never come, are no pattern, or lie closer than a second', () => {
    const rows: Record<string, readonly [unknown, RegExp]> = {
      nothing: [{}, /needs one of cron and every/],
      both: [{ cron: '* * * * *', every: '5m' }, /and not both/],
      'an empty pattern': [{ cron: '' }, /five or six fields/],
      'three fields': [{ cron: '* * *' }, /five or six fields/],
      'seven fields': [{ cron: '* * * * * * 2020' }, /five or six fields/],
      'a date': [{ cron: '2027-01-01T00:00:00' }, /five or six fields/],
      'minute 61': [{ cron: '61 * * * *' }, /Invalid value for minute/],
      'the 30th of February': [{ cron: '0 0 30 2 *' }, /no day ever matches/],
      'a restart': [{ cron: '@reboot' }, /@reboot/],
      'a very long pattern': [{ cron: `${'1,'.repeat(500)}1 * * * *` }, /cron must be/],
      'no text': [{ cron: 5 }, /cron must be/],
      'an unknown zone': [{ cron: '* * * * *', timezone: 'Mars/Base' }, /timezone must be the name of a time zone/],
      'a zone for an interval': [{ every: '5m', timezone: 'UTC' }, /timezone has no effect/],
      'half a second': [{ every: '500ms' }, /1 s at least/],
      'no duration': [{ every: 'often' }, /every must be/],
      'an unknown word for missed': [{ every: '5m', missed: 'all' }, /'once' or 'skip'/],
      'an unknown option': [{ every: '5m', retries: 5 }, /retries/],
      'a name with a space': [{ every: '5m', name: 'a b' }, /without spaces/],
      'no list of arguments': [{ every: '5m', arguments: 'x' }, /arguments must be a list/],
      'nothing at all': [undefined, /takes an object/],
    }
    for (const [name, [options, wanted]] of Object.entries(rows)) assert.match(refusal(options), wanted, name)
  })
})
