import { expect } from 'chai'
import fc from 'fast-check'
import { newTaskId } from '#src/core/clock.js'
import { TASK_STATES } from '#src/core/lifecycle.js'
import { applyChange, stateAt } from '#src/store/apply.js'
import type { Run } from '#src/core/run.js'
import type { Change, Recorded, Search, TaskRecord } from '#src/store/store.js'
import { ERROR, type StoreCases } from './store-case.js'

const NAMES = ['ada', 'Ada Lovelace', '"quoted", \\ and \u2028', 'é'.repeat(200), '\0', '\ud800']
const name = fc.constantFrom(...NAMES)
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined, freq: 1 })
const seldom = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.oneof({ weight: 7, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary })

/** What may be said of a call, with times counted from the time of the test. */
const call = fc.record({
  task: name,
  queue: name,
  owner: maybe(name),
  tenant: maybe(name),
  parentId: maybe(fc.constant('parent')),
  tags: maybe(fc.uniqueArray(name, { maxLength: 3 })),
  dueAt: maybe(fc.constantFrom(-5, 0, 50_000)),
  isReadOnce: seldom(fc.boolean()),
  expiresAt: maybe(fc.constantFrom(100_000, 200_000)),
  sendingUntil: seldom(fc.constantFrom(70_000)),
  memo: seldom(fc.constant('{"memo":1}')),
})

type Said = { readonly [K in keyof typeof LATER]?: number | undefined }
const LATER = { dueAt: 0, expiresAt: 0, sendingUntil: 0 } as const

/** A step of a history: what happens, in which run of two, and how long after the begin. */
const step = fc.record({
  kind: fc.constantFrom('announced', 'sent', 'started', 'started', 'progressed', 'retrying', 'released', 'completed', 'completed', 'failed', 'revived', 'cancelled'),
  attempt: fc.constantFrom(1, 1, 2),
  at: fc.integer({ min: 0, max: 1000 }),
  call,
  expiresAt: maybe(fc.constantFrom(300_000)),
  result: maybe(fc.constantFrom('{}', '"\\u0000"')),
})

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** The usual beginning, mostly, and then anything. */
const history = fc
  .tuple(fc.boolean(), fc.array(step, { minLength: 1, maxLength: 7 }))
  .map(([isUsual, steps]) => (isUsual ? steps.map((one, at) => ({ ...one, kind: (['announced', 'started', 'completed'] as const)[at] ?? one.kind })) : steps))

function changeOf({ kind, attempt, at: after, call: said, expiresAt: keptFor, result }: Step, id: string, now: number): Change {
  const run: Run = { attempt, startedAt: now + attempt, worker: { host: 'a "host"', pid: attempt } }
  const at = kind === 'started' ? run.startedAt : now + after
  const happened = { id, at, expiresAt: keptFor === undefined ? undefined : now + keptFor }
  switch (kind) {
    case 'announced':
      return { kind, id, createdAt: now, ...said, ...fromNow(said, now) }
    case 'progressed':
      return { kind, ...happened, run, step: after, progress: { value: after } }
    case 'retrying':
    case 'failed':
      return { kind, ...happened, run, error: ERROR }
    case 'completed':
      return { kind, ...happened, run, result }
    case 'started':
    case 'released':
      return { kind, ...happened, run }
    default:
      return { kind, ...happened }
  }
}

function fromNow(said: Said, now: number): Said {
  return Object.fromEntries(Object.keys(LATER).map((key) => {
    // the keys of LATER
    const value = said[key as keyof typeof LATER]
    return [key, value === undefined ? undefined : now + value]
  }))
}

export const historyCases: StoreCases = {
  'whatever happens, in whatever order, one after the other or at once: what is read is what the changes come to': async (c) => {
    const whole = fc.asyncProperty(history, fc.boolean(), async (steps, isAtOnce) => {
      const [id, now] = [newTaskId(), c.clock.now()]
      const changes = steps.map((one) => changeOf(one, id, now))
      let record: TaskRecord | undefined
      const expected = changes.map((change) => {
        const changed = applyChange(record, change)
        record = changed ?? record
        return { applied: changed !== undefined, state: record?.state ?? 'unknown' }
      })
      const told: Recorded[] = []
      for (const together of isAtOnce ? [changes] : changes.map((change) => [change])) told.push(...(await c.store.record(together)))
      const read = await c.store.find({ id })

      expect(told).to.deep.equal(expected)
      const seen = record === undefined ? undefined : { ...record, state: stateAt(record, now) }
      expect(plain(read)).to.deep.equal(plain(seen))
      const search = async (more: Search): Promise<TaskRecord | undefined> => (await c.store.search({ text: id, ...more })).records[0]
      const found = await search({})
      expect(plain(found)).to.deep.equal(plain(seen === undefined ? undefined : { ...seen, result: undefined }))
      const [its, others] = [TASK_STATES.filter((state) => state === seen?.state), TASK_STATES.filter((state) => state !== seen?.state)]
      expect(await search({ states: its, owner: record?.owner })).to.deep.equal(found)
      expect(await search({ states: its })).to.deep.equal(found)
      expect(await search({ states: others })).to.equal(undefined)
    })
    await fc.assert(whole, { numRuns: 300 })
  },
}

/** As it is kept: without what is left out, and where `false` says no more than nothing. */
function plain(record: TaskRecord | undefined): unknown {
  if (record === undefined) return undefined
  const { isReadOnce, ...rest } = record
  // JSON holds what a store may keep
  return JSON.parse(JSON.stringify(isReadOnce === true ? { ...rest, isReadOnce } : rest))
}
