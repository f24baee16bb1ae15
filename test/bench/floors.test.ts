import { expect } from 'chai'
import { readFileSync } from 'node:fs'
import { bestOf, FLOORS, type Floor, type Outcome } from '../../bench/floors.js'
import { goals } from '../../bench/goals.js'

const floor: Floor = { system: 'errand-sqlite', against: 'raw-sqlite', atLeast: 0.05 }

/** What the guard says of rounds with these ratios, and which of them it measured. */
async function guarded(...rounds: readonly (readonly number[])[]): Promise<Outcome & { readonly measured: readonly number[] }> {
  const measured: number[] = []
  const outcome = await bestOf(floor, async (round) => {
    measured.push(round)
    return rounds[round - 1] ?? []
  })
  return { ...outcome, measured }
}

describe('The guard of the bench', () => {
  it('is content with the first round that reaches the floor, and measures no further one', async () => {
    expect(await guarded([0.01], [0.05], [0.9])).to.deep.equal({ best: 0.05, isEnough: true, measured: [1, 2] })
  })

  it('fails after four rounds below the floor, and tells the best of them', async () => {
    expect(await guarded([0.02], [0.049], [0.03], [0.01], [0.9])).to.deep.equal({ best: 0.049, isEnough: false, measured: [1, 2, 3, 4] })
  })

  it('goes on after a round that failed, and fails where all did', async () => {
    expect(await guarded([], [0.06])).to.deep.equal({ best: 0.06, isEnough: true, measured: [1, 2] })
    expect(await guarded([], [], [], [])).to.deep.equal({ best: 0, isEnough: false, measured: [1, 2, 3, 4] })
  })
})

describe('The floors of the guard', () => {
  it('are above nothing, and below what the design wants of the same ratio', () => {
    for (const { system, against, atLeast } of FLOORS) {
      const goal = goals.find((one) => one.system === system && one.against === against && one.title === 'end to end, tasks/s')
      expect(atLeast, system).to.be.above(0).and.below(goal?.atLeast ?? 0)
    }
  })

  it('are there for RabbitMQ and for SQLite, and are told in the document as they are', () => {
    const said = readFileSync('bench/README.md', 'utf8').replaceAll('\n', ' ')
    const [rabbitmq, sqlite] = ['errand-rabbitmq', 'errand-sqlite'].map((name) => FLOORS.find(({ system }) => system === name)?.atLeast)
    expect(said).to.include(`below ${rabbitmq} of the limit on RabbitMQ or ${sqlite} on SQLite`)
  })
})
