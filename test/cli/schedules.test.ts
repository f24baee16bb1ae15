import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { eachScope } from '../kit/temporary.js'
import { application, errand } from './run-errand.js'

const SERVICES = fileURLToPath(new URL('../fixtures/scheduled-app/scheduled.js', import.meta.url))

describe('errand schedules', function () {
  this.timeout(120_000)
  const scope = eachScope()

  it('lists what is scheduled in code and in the configuration, with the next time', async () => {
    const cwd = application(scope(), `withAsync: true\nservices: [${SERVICES}]\nschedules:\n  - { task: Scheduled.tick, cron: 0 6 * * 1, timezone: Europe/Rome, name: weekly }\n`)

    const { output, code } = await errand(scope(), cwd, 'schedules')

    expect(code).to.equal(0)
    const lines = output.trim().split('\n').map((line) => line.split(/ {2,}/))
    expect(lines[0]).to.deep.equal(['NAME', 'TASK', 'WHEN', 'NEXT', 'LAST'])
    expect(lines.slice(1).map(([name, task, when]) => [name, task, when])).to.deep.equal([
      ['Scheduled.tick', 'Scheduled.tick', 'every 1s'],
      ['weekly', 'Scheduled.tick', '0 6 * * 1 (Europe/Rome)'],
      ['yearly', 'Scheduled.said', '0 0 1 1 * (UTC)'],
    ])
    expect(lines[3]?.[3]).to.match(/^\d{4}-01-01T00:00:00Z$/)
    expect(lines[3]?.[4]).to.equal('-')
  })

  it('says why it cannot, without services or with withAsync: false', async () => {
    const nowhere = await errand(scope(), application(scope(), 'withAsync: true\n'), 'schedules')
    expect(nowhere.code).to.equal(1)
    expect(nowhere.errors).to.match(/names no "services".*CALL_INVALID/)
  })
})
