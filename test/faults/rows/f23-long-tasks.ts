import { until } from '../../kit/until.js'
import type { Fleet } from '../fleet.js'
import { brokerAt, pause, type Row } from '../row.js'
import { deadLetters } from '../run-row.js'

const TASKS = 10
const KILLS = 3

/** Longer than a broker takes to come back: a run that began before its kill still goes on when the next one begins. */
const TASK_MS = 20_000

export const row: Row = {
  id: 'F23',
  title: `long tasks run, and the broker is killed ${KILLS} times meanwhile; no worker dies`,
  needs: 'rabbitmq',
  isOnlyLong: true,
  async run(context) {
    const node = await context.node()
    const fleet = context.fleet(brokerAt([node.url]))
    await fleet.startWorkers(1)
    const server = await fleet.server()
    await fleet.dispatch(server, { count: 1 })
    await fleet.settled()

    await fleet.dispatch(server, { count: TASKS, how: { ms: TASK_MS } })
    for (let kill = 1; kill <= KILLS; kill++) {
      await hasBegun(fleet, 1 + TASKS * kill)
      context.step(`kill -9 of the broker, ${kill}`)
      await node.kill9()
      await node.restart()
    }
    await fleet.drained()
    // the verdicts of what runs for the last time, and what comes of them
    await pause(2 * TASK_MS)
    const counts = fleet.counts()

    const dead = await deadLetters(fleet)
    context.expect(dead === 0, `no dead letters: no run ended with the death of a worker (${dead})`)
    return counts
  },
}

const hasBegun = (fleet: Fleet, count: number): Promise<boolean> =>
  until(`${count} runs that began`, () => fleet.runs().filter(({ kind }) => kind === 'began').length >= count, 120_000)
