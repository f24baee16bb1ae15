import { expect } from 'chai'
import fc from 'fast-check'
import { canMove, isTerminal } from '#src/core/lifecycle.js'
import { applyChange } from '#src/store/apply.js'
import type { Run } from '#src/core/run.js'
import type { Change, TaskRecord } from '#src/store/store.js'

const error = { name: 'Error', message: 'no' }

/** What a worker does with one delivery, in the order in which it says so. */
const runStory = fc.record({
  steps: fc.integer({ min: 0, max: 3 }),
  end: fc.constantFrom('retrying', 'released', 'completed', 'failed', 'died', 'cancelled'),
})

/** A history as it can happen: a call, its runs one after the other, until one of them ends it. */
const history = fc.array(runStory, { maxLength: 6 }).map((stories) => {
  const changes: Change[] = [{ kind: 'announced', id: 't', task: 'A.b', queue: 'q', createdAt: 0, key: 'k' }]
  let [attempt, at] = [1, 1]
  for (const { steps, end } of stories) {
    const run: Run = { attempt, startedAt: at++, worker: { host: 'h', pid: 1 } }
    changes.push({ kind: 'started', id: 't', at: run.startedAt, run })
    for (let step = 0; step < steps; step++) {
      changes.push({ kind: 'progressed', id: 't', at: at++, run, step, progress: { value: step } })
    }
    if (end === 'cancelled') changes.push({ kind: 'cancelled', id: 't', at: at++ })
    else if (end === 'completed') changes.push({ kind: 'completed', id: 't', at: at++, run, result: String(at) })
    else if (end === 'released') changes.push({ kind: 'released', id: 't', at: at++, run })
    else if (end !== 'died') changes.push({ kind: end, id: 't', at: at++, run, error })
    if (end !== 'released') attempt++
  }
  return changes
})

/** The same history with some of its changes told again, each at a random place behind the first time. */
const withLateOnes = history.chain((changes) =>
  fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 12 }).map((repeats) => {
    const told = [...changes]
    for (const [which, where] of repeats) {
      const change = changes[which % changes.length]
      if (change === undefined) continue
      const first = told.indexOf(change)
      told.splice(first + 1 + (where % (told.length - first)), 0, change)
    }
    return { changes, told }
  }),
)

function tell(changes: readonly Change[]): TaskRecord | undefined {
  return changes.reduce<TaskRecord | undefined>((record, change) => applyChange(record, change) ?? record, undefined)
}

describe('What becomes of changes', () => {
  it('changes told again later end in the very same record', () => {
    fc.assert(
      fc.property(withLateOnes, ({ changes, told }) => {
        expect(tell(told)).to.deep.equal(tell(changes))
      }),
      { numRuns: 500 },
    )
  })

  it('one end is applied at most, and each change makes an allowed move or none', () => {
    fc.assert(
      fc.property(withLateOnes, ({ told }) => {
        let record: TaskRecord | undefined
        let ends = 0
        for (const change of told) {
          const next = applyChange(record, change)
          if (next === undefined) continue
          const from = record?.state ?? 'unknown'
          expect(next.state === from || canMove(from, next.state), `${from} to ${next.state}`).to.equal(true)
          if (isTerminal(next.state) && !isTerminal(from)) ends++
          record = next
        }
        expect(ends).to.be.at.most(1)
      }),
      { numRuns: 500 },
    )
  })

  it('an announcement that comes at any later place changes the end of nothing', () => {
    fc.assert(
      fc.property(history, fc.nat(), ([announced, ...rest], where) => {
        if (announced === undefined) return
        const late = [...rest]
        late.splice(1 + (where % Math.max(rest.length, 1)), 0, announced)
        const [one, other] = [tell([announced, ...rest]), tell(late)]
        expect(other).to.include({ state: one?.state, task: 'A.b', key: 'k' })
        expect(other?.runs).to.deep.equal(one?.runs)
      }),
    )
  })
})
