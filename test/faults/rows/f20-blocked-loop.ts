import { until } from '../../kit/until.js'
import type { Run } from '../counts.js'
import { brokerAt, type Row } from '../row.js'
import { deadLetters } from '../run-row.js'

const HEARTBEAT_SECONDS = 2
const BLOCK_MS = 3 * HEARTBEAT_SECONDS * 1000 + 1000
const CONCURRENCY = 5

export const row: Row = {
  id: 'F20',
  title: 'a body blocks one worker of three for longer than three heartbeats',
  needs: 'rabbitmq',
  async run(context) {
    const node = await context.node()
    const fleet = context.fleet(brokerAt([node.url], { heartbeat: `${HEARTBEAT_SECONDS}s` }))
    await fleet.startWorkers(3, { worker: { ...fleet.config.worker, concurrency: CONCURRENCY } })
    const server = await fleet.server()

    const rounds = context.size(1, 10)
    const load = fleet.load(server, { perSecond: 100, how: { ms: 10 } })
    for (let round = 1; round <= rounds; round++) {
      const prefix = `block${round}-`
      await fleet.dispatch(server, { count: 1, prefix, how: { blockMs: BLOCK_MS } })
      const runs = (): readonly Run[] => fleet.runs().filter(({ id }) => id === `${prefix}0`)
      const { pid } = await until('the run that blocks', () => runs()[0])
      context.step(`${pid} is blocked`)
      const end = await until('its end elsewhere', () => runs().find((run) => run.kind === 'ended' && run.pid !== pid), 60_000)
      context.step(`ended in ${end.pid}`)
      const since = Date.now()
      await until('other runs in the worker that was blocked', () => fleet.runs().some((run) => run.pid === pid && run.atMs > since), 60_000)
    }
    await load.stop()
    const counts = await fleet.drained()

    const most = rounds * CONCURRENCY
    context.expect(counts.duplicates <= most, `at most ${most} run twice (${counts.duplicates})`)
    const deaths = fleet.workers.reduce((sum, worker) => sum + worker.deaths, 0)
    context.expect(deaths === 0, `no worker dies (${deaths} did)`)
    const warned = fleet.printed('worker').split('event loop').length - 1
    context.expect(warned >= rounds, `the worker says that it was blocked (${warned} times)`)
    const dead = await deadLetters(fleet)
    context.expect(dead === 0, `no dead letters (${dead})`)
    return counts
  },
}
