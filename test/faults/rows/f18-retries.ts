import type { Fleet } from '../fleet.js'
import { brokerAt, pause, QUICK_DEAD_LETTERS, type Row } from '../row.js'
import { deadLetters } from '../run-row.js'

const FAILURES = 4
const KILLS = 2

export const row: Row = {
  id: 'F18',
  title: `every task fails ${FAILURES} times and is retried, and the broker is killed ${KILLS} times meanwhile`,
  needs: 'rabbitmq',
  async run(context) {
    const node = await context.node(QUICK_DEAD_LETTERS)
    const fleet = context.fleet(brokerAt([node.url]))
    await fleet.startWorkers(1)
    const server = await fleet.server()
    // declares every level that will be used
    await fleet.dispatch(server, { count: 1, delaysMs: [2000] })
    await fleet.settled()

    await fleet.dispatch(server, { task: 'retried', count: context.size(500, 2000), how: { failures: FAILURES } })
    for (let kill = 1; kill <= KILLS; kill++) {
      await pause(context.random.between(500, 2000))
      context.step(`kill -9 of the broker, ${kill}`)
      await node.kill9()
      await node.restart()
    }
    const counts = await fleet.drained()

    const chains = attemptsOf(fleet)
    const skipping = chains.filter((chain) => chain.length > 1 && new Set(chain).size <= FAILURES).length
    const falling = chains.filter((chain) => chain.some((attempt, index) => attempt < (chain[index - 1] ?? 0))).length
    context.expect(falling <= counts.duplicates + KILLS * 20, `the attempts of a task never decrease, but for duplicates (${falling} do)`)
    const dead = await deadLetters(fleet)
    context.expect(dead === 0, `no dead letters (${dead})`)
    context.note(`${skipping} tasks lost an attempt to the broker, ${falling} ran attempts of a duplicate`)
    return counts
  },
}

/** For each task the attempts of its runs, in the order in which they began. */
function attemptsOf(fleet: Fleet): readonly (readonly number[])[] {
  const chains = new Map<string, number[]>()
  for (const { kind, id, attempt } of fleet.runs()) {
    if (kind !== 'began') continue
    const chain = chains.get(id) ?? []
    chain.push(attempt)
    chains.set(id, chain)
  }
  return [...chains.values()]
}
