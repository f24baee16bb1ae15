import { assert } from 'chai'
import { asyncTask, type ScheduleOptions } from 'errand'
import { registry } from '#src/core/registry.js'
import { resolveSchedule } from '#src/core/schedule/schedule.js'
import { LocalFirings, StoredFirings, type Firing, type Firings } from '#src/runtime/schedule/firings.js'
import type { Plan } from '#src/runtime/schedule/plans.js'
import { Timeline } from '#src/runtime/schedule/timeline.js'
import { openMemoryStore } from '#src/store/memory.js'
import { FakeClock } from '../../kit/fake-clock.js'
import { keptLog } from '../../kit/rabbit-case.js'
import { eachScope, type Scope } from '../../kit/temporary.js'

const MINUTE = 60_000
const OWNER = { service: 'shop', environment: 'test' }
let tasks = 0

function planOf(options: ScheduleOptions): Plan {
  const name = `timeline-${++tasks}`
  asyncTask(async () => {}, { name })
  const task = registry.find(name)
  assert.isDefined(task)
  return { ...resolveSchedule(options), name, task }
}

/** A schedule in a world whose clock stands still, with as many leaders as a test wants. */
function setting(scope: Scope, options: ScheduleOptions, at?: number, areShared = true) {
  const clock = new FakeClock(at)
  const store = scope.use(openMemoryStore({ clock }))
  const plan = planOf(options)
  const { log, lines } = keptLog()
  const sent: Firing[] = []
  let failures = 0
  const send = async (_plan: Plan, firing: Firing): Promise<void> => {
    if (failures-- > 0) throw new Error('the broker is away')
    sent.push(firing)
  }
  const lead = async (firings: Firings = new StoredFirings(store, OWNER), as = plan): Promise<Timeline> => {
    const timeline = new Timeline({ plan: as, firings, clock, log, send, areShared })
    scope.defer(() => timeline.close())
    await clock.pass(0) // it looks once
    return timeline
  }
  const times = (): readonly string[] => sent.map(({ dueAt }) => new Date(dueAt).toISOString().slice(11, 19))
  return { clock, store, plan, lines, sent, lead, times, fail: (count: number) => void (failures = count) }
}

describe('A schedule under its leader', () => {
  const scope = eachScope()

  for (const [where, firings] of [['in the store', undefined], ['of this process alone', new LocalFirings(OWNER)]] as const) {
    it(`fires at each of its times, with firings ${where}`, async () => {
      const { clock, lead, times, sent } = setting(scope(), { every: '1m' })
      await lead(firings)

      await clock.pass(3.5 * MINUTE)

      assert.deepEqual(times(), ['00:01:00', '00:02:00', '00:03:00'])
      assert.equal(new Set(sent.map(({ id }) => id)).size, 3)
    })

    it(`fires late and once after its process was blocked, with firings ${where}`, async () => {
      const { clock, lead, times } = setting(scope(), { every: '10s' })
      await lead(firings)
      await clock.pass(12_000)

      const blockedUntil = clock.now() + 33_000
      const now = clock.now.bind(clock)
      clock.now = () => Math.max(now(), blockedUntil) // timers of the past fire when the loop turns again
      await clock.pass(33_000)

      assert.deepEqual(times(), ['00:00:10', '00:00:20'])
      await clock.pass(10_000)
      assert.deepEqual(times(), ['00:00:10', '00:00:20', '00:00:50'])
    })
  }

  it('fires once where two processes lead at the same time, however late one of them is', async () => {
    const { clock, lead, times } = setting(scope(), { every: '1m' })
    await lead()
    await lead()

    await clock.pass(10 * MINUTE)

    assert.lengthOf(times(), 10)
    assert.equal(new Set(times()).size, 10)
  })

  it('is taken over where the one before left it: nothing twice, nothing left out', async () => {
    const { clock, lead, times } = setting(scope(), { every: '1m' })
    const first = await lead()
    await clock.pass(2.5 * MINUTE)
    await first.close()
    await clock.pass(MINUTE) // nobody leads when the third is due

    await lead()
    await clock.pass(MINUTE)

    assert.deepEqual(times(), ['00:01:00', '00:02:00', '00:03:00', '00:04:00'])
  })

  it('makes up for missed firings with one run, or with none where it says so', async () => {
    for (const [missed, made] of [['once', ['00:02:00']], ['skip', []]] as const) {
      const { clock, lead, times } = setting(scope(), { every: '1m', missed })
      const first = await lead()
      await clock.pass(1.5 * MINUTE)
      await first.close()
      await clock.pass(10 * MINUTE)

      await lead()
      await clock.pass(1)
      assert.deepEqual(times(), ['00:01:00', ...made], missed)

      await clock.pass(MINUTE)
      assert.deepEqual(times(), ['00:01:00', ...made, '00:12:00'], missed)
    }
  })

  it('makes up for nothing where another host may have led, and still fires what its own host left a moment ago', async () => {
    const { clock, lead, times } = setting(scope(), { every: '1m' }, undefined, false)
    const first = await lead()
    await clock.pass(1.5 * MINUTE)
    await first.close()
    await clock.pass(0.6 * MINUTE) // six seconds late

    const second = await lead()
    assert.deepEqual(times(), ['00:01:00', '00:02:00'])
    await second.close()
    await clock.pass(10 * MINUTE)

    await lead()
    await clock.pass(MINUTE)
    assert.deepEqual(times(), ['00:01:00', '00:02:00', '00:13:00'])
  })

  it('goes by its new times once they were changed', async () => {
    const { clock, lead, plan, times } = setting(scope(), { cron: '0 6 * * *' })
    const first = await lead()
    await clock.pass(MINUTE)
    await first.close()

    const hourly = await lead(undefined, { ...plan, ...resolveSchedule({ every: '1h' }), name: plan.name })
    await clock.pass(61 * MINUTE)
    assert.deepEqual(times(), ['01:00:00'])

    await hourly.close()
    await lead()
    await clock.pass(6 * 60 * MINUTE)
    assert.deepEqual(times(), ['01:00:00', '06:00:00'])
  })

  it('leaves out a firing that somebody cancelled', async () => {
    const { clock, lead, store, times } = setting(scope(), { every: '1m' })
    await lead()
    await clock.pass(1.5 * MINUTE)
    const { records } = await store.search({ states: ['scheduled'] })
    assert.lengthOf(records, 1)

    await store.record([{ kind: 'cancelled', id: records[0]?.id ?? '', at: clock.now() }])
    await clock.pass(2 * MINUTE)

    assert.deepEqual(times(), ['00:01:00', '00:03:00'])
  })

  it('sends a firing when the broker is back, and says meanwhile why it does not', async () => {
    const { clock, lead, times, lines, fail } = setting(scope(), { every: '1m' })
    await lead()
    fail(3)

    await clock.pass(MINUTE + 3_500)

    assert.deepEqual(times(), ['00:01:00'])
    assert.lengthOf(lines.filter((line) => line.includes('the broker is away')), 3)
  })

  it('tries again when the store does not answer', async () => {
    const { clock, lead, store, times } = setting(scope(), { every: '1m' })
    const firings = new StoredFirings(store, OWNER)
    let failures = 2
    const upcoming = firings.upcoming.bind(firings)
    firings.upcoming = async (...given) => (failures-- > 0 ? Promise.reject(new Error('no answer')) : upcoming(...given))
    await lead(firings)

    await clock.pass(1.5 * MINUTE)

    assert.deepEqual(times(), ['00:01:00'])
  })

  it('keeps to the clocks of its time zone through a clock change', async () => {
    const { clock, lead, sent } = setting(scope(), { cron: '30 2 * * *', timezone: 'Europe/Rome' }, Date.UTC(2027, 2, 27, 12))
    await lead()

    await clock.pass(48 * 60 * MINUTE)

    assert.deepEqual(sent.map(({ dueAt }) => new Date(dueAt).toISOString()), ['2027-03-28T01:00:00.000Z', '2027-03-29T00:30:00.000Z'])
  })
})
