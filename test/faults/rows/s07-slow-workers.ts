import { brokerAt, seconds, type Row } from '../row.js'
import { deadLetters } from '../run-row.js'

const CONCURRENCY = 5
const TASK_MS = 300
const MOST_GAP_MS = 5000
const MOST_MB = 300

export const row: Row = {
  id: 'S7',
  title: 'workers are slower than the calls come',
  needs: 'rabbitmq',
  async run(context) {
    const node = await context.node()
    const fleet = context.fleet(brokerAt([node.url]))
    await fleet.startWorkers(2, { worker: { ...fleet.config.worker, concurrency: CONCURRENCY } })
    const server = await fleet.server()
    // three times of what they do
    const count = context.size(600, 6000)
    await fleet.dispatch(server, { count, perSecond: 100, how: { ms: TASK_MS } })
    const behind = count - fleet.counts().run
    context.step(`all calls are stored, and ${behind} tasks are still to run`)
    const counts = await fleet.drained()

    context.expect(behind > 0, 'the workers fall behind')
    context.expect(counts.refused === 0, `every call is stored (${counts.refused} were refused)`)
    context.expect(counts.longestGapMs < MOST_GAP_MS, `calls wait for no worker (longest gap ${seconds(counts.longestGapMs)})`)
    context.expect(counts.duplicates === 0, `nothing runs twice (${counts.duplicates})`)
    const mostMb = Math.max(server.mostMb, ...fleet.workers.map((worker) => worker.mostMb))
    context.expect(mostMb < MOST_MB, `every process stays below ${MOST_MB} MB (${mostMb})`)
    const dead = await deadLetters(fleet)
    context.expect(dead === 0, `no dead letters (${dead})`)
    context.note(`${behind} tasks behind at the last call`)
    return counts
  },
}
