import { assert } from 'chai'
import { asyncTask, everyTask } from 'errand'
import { registry } from '#src/core/registry.js'
import { plansOf } from '#src/runtime/schedule/plans.js'

class Metronome {
  @everyTask({ every: '1m' })
  async beat(): Promise<void> {}

  @everyTask({ cron: '@hourly' })
  @asyncTask({ retries: 2 })
  async chime(): Promise<void> {}

  @everyTask({ every: '5m' })
  static async wind(): Promise<void> {}
}

describe('@everyTask of the standard dialect', () => {
  it('makes methods tasks with schedules, above @asyncTask as well', () => {
    registry.adopt(new Metronome())

    const plans = new Map(plansOf([]).map((plan) => [plan.name, plan]))
    assert.equal(plans.get('Metronome.beat')?.words, 'every 1m')
    assert.equal(plans.get('Metronome.chime')?.task.declaration.options.retry.retries, 2)
    assert.equal(plans.get('Metronome.wind')?.task.declaration.kind, 'static')
  })
})
