import { killWorkersDuring } from '../kills.js'
import type { Row } from '../row.js'
import { deadLetters } from '../run-row.js'

const CONCURRENCY = 10

export const row: Row = {
  id: 'E1',
  title: 'embedded queue: workers are killed at random',
  isBrief: true,
  needs: 'nothing',
  async run(context) {
    const fleet = context.fleet({ broker: 'sqlite' })
    await fleet.startWorkers(3, { worker: { ...fleet.config.worker, concurrency: CONCURRENCY } })
    const server = await fleet.server()
    let isOver = false
    const sent = (async () => {
      await fleet.dispatch(server, { count: context.size(3000, 30_000), perSecond: 400, inFlight: 200, how: { ms: 5 } })
      await fleet.dispatch(server, { task: 'retried', count: 200, perSecond: 200, how: { failures: 1 } })
      isOver = true
    })()
    const kills = await killWorkersDuring(fleet, context, () => !isOver)
    await sent
    const counts = await fleet.drained()

    const most = kills * CONCURRENCY
    context.expect(counts.duplicates <= most, `at most ${most} run twice (${counts.duplicates})`)
    context.expect(counts.refused === 0, `every call is stored (${counts.refused} were refused)`)
    const dead = await deadLetters(fleet)
    context.expect(dead === 0, `no dead letters (${dead})`)
    context.note(`${kills} kills`)
    return counts
  },
}
