import { brokerAt, pause, type Row } from '../row.js'
import { deadLetters } from '../run-row.js'

const WORKERS = 3
const CONCURRENCY = 10
const EVERY_MS = 500

export const row: Row = {
  id: 'F9',
  title: `workers are killed every ${EVERY_MS} ms`,
  isBrief: true,
  needs: 'rabbitmq',
  async run(context) {
    const node = await context.node()
    const fleet = context.fleet(brokerAt([node.url]))
    await fleet.startWorkers(WORKERS, { worker: { ...fleet.config.worker, concurrency: CONCURRENCY } })
    const server = await fleet.server()

    const count = context.size(4000, 20_000)
    const sent = fleet.dispatch(server, { count, perSecond: 500, how: { ms: 5 } })
    const until = Date.now() + context.size(10_000, 30_000)
    let kills = 0
    while (Date.now() < until) {
      await pause(EVERY_MS)
      const victims = fleet.workers.filter(({ isConsuming }) => isConsuming)
      if (victims.length === 0) continue
      const victim = context.random.pick(victims)
      context.step(`kill -9 of worker ${victim.pid}`)
      await victim.end('SIGKILL')
      kills += 1
    }
    await sent
    const counts = await fleet.drained()

    const most = kills * CONCURRENCY
    context.expect(counts.duplicates <= most, `at most ${most} run twice`)
    const dead = await deadLetters(fleet)
    context.expect(dead === 0, `no dead letters (${dead})`)
    context.note(`${kills} kills`)
    return counts
  },
}
