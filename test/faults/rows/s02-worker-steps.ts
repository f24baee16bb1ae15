import type { Fleet } from '../fleet.js'
import type { ServerProcess } from '../fleet-process.js'
import { STEPS } from '../processes/deaths.js'
import { brokerAt, QUICK_DEAD_LETTERS, type Row } from '../row.js'
import { deadLetters } from '../run-row.js'

/** Of the server, whose third a long task outlasts. */
const SERVER_MS = 5000
const LONG_MS = 2500
const EACH = 8

export const row: Row = {
  id: 'S2',
  title: `a worker is killed at each of ${STEPS.length} steps of short, failing and long runs`,
  needs: 'rabbitmq',
  async run(context) {
    const node = await context.node(QUICK_DEAD_LETTERS)
    await node.eval(`application:set_env(rabbit,consumer_timeout,${SERVER_MS}), application:set_env(rabbit,channel_tick_interval,1000).`)
    const fleet = context.fleet(brokerAt([node.url], { ackTimeout: '3s', heartbeat: '2s' }))
    fleet.mayLoseWorkers = true
    await fleet.startWorkers(2)
    const server = await fleet.server()
    for (let round = 1; round <= context.size(1, 10); round++) {
      for (const step of STEPS) {
        const died = fleet.dieAt(step)
        await batch(fleet, server)
        await died
        context.step(`a worker died: ${step}`)
      }
    }
    const counts = await fleet.drained()

    const deaths = fleet.workers.reduce((sum, worker) => sum + worker.deaths, 0)
    const most = deaths * fleet.workers.length * EACH
    context.expect(counts.duplicates <= most, `at most ${most} run twice (${counts.duplicates})`)
    const dead = await deadLetters(fleet)
    context.expect(dead === 0, `no dead letters (${dead})`)
    context.note(`${deaths} workers died`)
    return counts
  },
}

/** Runs that come to every step. */
async function batch(fleet: Fleet, server: ServerProcess): Promise<void> {
  await Promise.all([
    fleet.dispatch(server, { count: EACH, how: { ms: 20 } }),
    fleet.dispatch(server, { task: 'retried', count: EACH, how: { failures: 1 } }),
    fleet.dispatch(server, { count: 3, how: { ms: LONG_MS } }),
  ])
}
