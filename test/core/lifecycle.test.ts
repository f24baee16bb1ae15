import { expect } from 'chai'
import fc from 'fast-check'
import { canMove, isTerminal, MOVES, TASK_STATES, type TaskState } from '#src/core/lifecycle.js'

const state = fc.constantFrom(...TASK_STATES)

/** Where a task stands after it was told to go somewhere: it goes where it may. */
const go = (from: TaskState, to: TaskState): TaskState => (canMove(from, to) ? to : from)

describe('The states of a task', () => {
  it('no sequence of allowed moves leaves an end', () => {
    fc.assert(
      fc.property(fc.array(state, { maxLength: 30 }), (wishes) => {
        const seen = wishes.reduce<TaskState[]>((all, wish) => [...all, go(all.at(-1) ?? 'unknown', wish)], [])
        const end = seen.findIndex(isTerminal)
        return end === -1 || seen.slice(end).every((each) => each === seen[end])
      }),
    )
  })

  it('every state can be reached from unknown, and an end from every state', () => {
    const reachable = (from: TaskState): Set<TaskState> => {
      const found = new Set([from])
      for (const each of found) for (const next of MOVES[each]) found.add(next)
      return found
    }
    expect([...reachable('unknown')]).to.have.members(TASK_STATES)
    for (const each of TASK_STATES) expect([...reachable(each)].some(isTerminal), each).to.equal(true)
  })

  it('nothing becomes unknown, staying is no move, and each state is there once', () => {
    for (const from of TASK_STATES) {
      expect(canMove(from, 'unknown')).to.equal(false)
      expect(canMove(from, from)).to.equal(false)
    }
    expect(new Set(TASK_STATES).size).to.equal(TASK_STATES.length)
    expect(Object.keys(MOVES)).to.have.members(TASK_STATES)
    expect(TASK_STATES.filter(isTerminal)).to.have.members(['completed', 'failed', 'cancelled'])
  })
})
