import { assert } from 'chai'
import { asyncTask, everyTask, ErrandError, type ScheduleOptions } from 'errand'
import { registry } from '#src/core/registry.js'
import { plansOf } from '#src/runtime/schedule/plans.js'

class Clockwork {
  @everyTask({ cron: '0 6 * * 1', timezone: 'Europe/Rome' })
  async weekly(): Promise<void> {}

  @everyTask({ every: '15m', name: 'clockwork.often', as: { user: { id: 'nightly' } }, arguments: ['tidy'] })
  @everyTask({ every: '1d', name: 'clockwork.daily' })
  @asyncTask({ retries: 5 })
  async tidy(_what = 'all'): Promise<void> {}

  @everyTask({ every: '2h' })
  static async shared(): Promise<void> {}
}

class Inherited extends Clockwork {}

const plan = (name: string) => plansOf([]).find((it) => it.name === name)
const refused = (fn: () => unknown, code: string, wanted: RegExp): void => {
  try {
    fn()
  } catch (error) {
    assert.instanceOf(error, ErrandError)
    assert.equal(error.code, code)
    assert.match(error.message, wanted)
    return
  }
  assert.fail('it was accepted')
}

describe('@everyTask', () => {
  before(() => registry.adopt(Clockwork))

  it('makes a method a task that has a schedule of its name', () => {
    assert.equal(plan('Clockwork.weekly')?.words, '0 6 * * 1 (Europe/Rome)')
    assert.equal(registry.find('Clockwork.weekly')?.declaration.member, 'weekly')
    assert.equal(plan('Clockwork.shared')?.task.declaration.kind, 'static')
  })

  it('stands above @asyncTask, whose options hold, and more than once', () => {
    const often = plan('clockwork.often')

    assert.equal(often?.task.name, 'Clockwork.tidy')
    assert.equal(often?.task.declaration.options.retry.retries, 5)
    assert.deepEqual(often?.args, ['tidy'])
    assert.deepEqual(often?.as, { user: { id: 'nightly' } })
    assert.equal(plan('clockwork.daily')?.task, often?.task)
  })

  it('makes a function a task, and keeps to one that is a task', () => {
    const tick = everyTask(async function tickOfTest() {}, { every: '1m' })
    const known = asyncTask(async function knownOfTest() {}, { priority: 7 })

    assert.equal(everyTask(known, { cron: '@daily' }), known)
    assert.equal(registry.declarationOf(tick)?.member, 'tickOfTest')
    assert.equal(plan('tickOfTest')?.words, 'every 1m')
    assert.equal(plan('knownOfTest')?.task.declaration.options.priority, 7)
  })

  it('refuses what it cannot use where it stands', () => {
    refused(() => everyTask({} as ScheduleOptions), 'OPTION_INVALID', /needs one of cron and every/)
    refused(() => everyTask(undefined as unknown as ScheduleOptions), 'OPTION_INVALID', /needs to know when/)
    refused(() => everyTask(async () => {}, undefined as unknown as ScheduleOptions), 'OPTION_INVALID', /needs to know when/)
    refused(() => Reflect.apply(everyTask({ every: '1m' }) as never, undefined, [{}, 'field', { value: 5 }]), 'DECORATOR_MISUSED', /only a method/)
    refused(() => asyncTask(everyTask(async function twiceScheduled() {}, { every: '1m' })), 'DECORATOR_MISUSED', /"twiceScheduled": it is a task already/)
  })
})

describe('The schedules of a process', () => {
  it('name a task that the configuration misspells, and the one that may be meant', () => {
    refused(() => plansOf([{ task: 'Clockwork.weakly', every: '1m' }]), 'SERVICE_LOAD_FAILED', /"Clockwork\.weakly".*Did you mean "Clockwork\.weekly"/)
  })

  it('have a name each', () => {
    refused(() => plansOf([{ task: 'Clockwork.weekly', every: '1m' }]), 'SERVICE_LOAD_FAILED', /Two schedules are called "Clockwork\.weekly".*name/)
    assert.isDefined(plansOf([{ task: 'Clockwork.weekly', every: '1m', name: 'more' }]).find(({ name }) => name === 'more'))
  })

  it('are those of a subclass and not also of the class that it extends', () => {
    registry.adopt(Inherited)

    const names = plansOf([]).map(({ name }) => name)
    assert.include(names, 'Inherited.weekly')
    assert.notInclude(names, 'Clockwork.weekly')
  })
})
