import { z } from 'zod'
import { resolveTiming } from '../src/core/schedule/schedule.js'
import { show } from '../src/core/options.js'
import { ErrandError } from '../src/errors.js'
import { choice, duration, key, listOf, text } from './fields.js'

const FIRST_WORDS = /^The schedule ?/

/** One schedule of the configuration. */
export const schedule = z
  .strictObject(
    {
      task: text('the name of a task').meta({ description: 'Name of the task that runs, such as Reports.weekly. Default: none, it must be given.' }),
      name: key(text('a name'), 'Name of the schedule, once per service.', 'the task'),
      cron: key(text('a cron pattern'), 'Minute, hour, day of month, month, day of week; with six fields the first is seconds.', 'none'),
      every: key(duration(), 'Fires at whole multiples of it, 1 s at least. Not together with cron.', 'none'),
      timezone: key(text('the name of a time zone'), 'Time zone on whose clocks cron is read.', 'UTC'),
      arguments: key(listOf(z.unknown(), 'values'), 'What the task is called with.', 'none'),
      missed: key(
        choice('once', 'skip'),
        'What becomes of firings that were due while no worker ran: one run, or none.',
        'once',
      ),
    },
    { error: 'must be a section with task, and cron or every' },
  )
  .superRefine(({ cron, every, timezone, missed }, context) => {
    try {
      // the type of a text that the schema of durations admits
      resolveTiming({ cron, every: every as `${number}s`, timezone, missed }, 'The schedule')
    } catch (error) {
      if (!(error instanceof ErrandError)) throw error
      // the value is shown by whoever tells the problem
      const told = [cron, every, timezone].reduce<string>((words, value) => words.replace(`, got ${show(value)}`, ''), error.message.replace(FIRST_WORDS, ''))
      const [, path, rest] = /^(cron|every|timezone) (.*)$/s.exec(told) ?? []
      context.addIssue({ code: 'custom', path: path === undefined ? [] : [path], message: (rest ?? told).replace(/\.$/, '') })
    }
  })
