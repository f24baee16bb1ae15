import { expect } from 'chai'
import { load } from './loading.js'
import { problems } from './failing.js'

const file = (...lines: readonly string[]): string => ['withAsync: true', 'schedules:', ...lines.map((line) => `  ${line}`), ''].join('\n')

describe('Schedules in the configuration', () => {
  it('are read with what they say, as plain data', async () => {
    const text = file('- task: Reports.weekly', '  cron: 0 6 * * 1', '  timezone: Europe/Rome', '- { task: tidy, every: 15m, arguments: [1, { deep: [2] }], missed: skip, name: quarterly }')

    const { schedules } = await load({ 'async.config.yaml': text })

    expect(schedules).to.deep.equal([
      { task: 'Reports.weekly', cron: '0 6 * * 1', timezone: 'Europe/Rome' },
      { task: 'tidy', every: '15m', arguments: [1, { deep: [2] }], missed: 'skip', name: 'quarterly' },
    ])
  })

  const rows: Record<string, readonly [string, RegExp]> = {
    'no task': ['- cron: "* * * * *"', /^schedules\[0\]\.task: must be the name of a task/],
    'no time': ['- task: tidy', /^schedules\[0\]: needs one of cron and every/],
    'both times': ['- { task: tidy, cron: "* * * * *", every: 5m }', /^schedules\[0\]: needs one of cron and every, and not both/],
    'a bad pattern': ['- { task: tidy, cron: 99 * * * * }', /^schedules\[0\]\.cron: must be minute.*: Invalid value for minute: 99, got '99 \* \* \* \*'\n/],
    'a pattern that never comes': ['- { task: tidy, cron: 0 0 30 2 * }', /^schedules\[0\]\.cron: .*no day ever matches it/],
    'a bad zone': ['- { task: tidy, cron: "* * * * *", timezone: Mars/Base }', /^schedules\[0\]\.timezone: must be .*, got 'Mars\/Base'\n/],
    'too often': ['- { task: tidy, every: 999ms }', /^schedules\[0\]\.every: must be 1 s at least, got '999ms'\n/],
    'a misspelt key': ['- { task: tidy, every: 5m, timezon: UTC }', /^schedules\[0\]\.timezon: unknown key; did you mean "timezone"\?/],
    'a text': ['- tidy', /^schedules\[0\]: must be a section with task, and cron or every/],
    'no list': ['task: tidy', /^schedules: must be a list of schedules/],
  }
  for (const [name, [line, wanted]] of Object.entries(rows)) {
    it(`are refused with ${name}`, async () => expect(await problems(file(line))).to.match(wanted))
  }
})
