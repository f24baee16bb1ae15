import { brokerAt, type Row } from '../row.js'
import { deadLetters } from '../run-row.js'

const WORKERS = 2
const STOPS = 10

export const row: Row = {
  id: 'F11',
  title: `workers are stopped ${STOPS} times in good order, as in a deploy`,
  isBrief: true,
  needs: 'rabbitmq',
  async run(context) {
    const node = await context.node()
    const fleet = context.fleet(brokerAt([node.url]))
    await fleet.startWorkers(WORKERS)
    const server = await fleet.server()

    const sent = fleet.dispatch(server, { count: context.size(6000, 20_000), perSecond: context.size(400, 600), how: { ms: 20 } })
    const endings: (number | string | null)[] = []
    for (let stop = 0; stop < STOPS; stop++) {
      const worker = fleet.workers[stop % WORKERS]
      if (worker === undefined) break
      await worker.consuming()
      context.step(`SIGTERM to worker ${worker.pid}`)
      endings.push(await worker.end('SIGTERM'))
    }
    await sent
    const counts = await fleet.drained()

    context.expect(endings.every((code) => code === 0), `every worker exits with 0 (${endings.join(', ')})`)
    context.expect(counts.duplicates === 0, `nothing runs twice (${counts.duplicates} did)`)
    const recounted = new Set(fleet.runs().flatMap(({ id, attempt }) => (attempt > 1 ? [id] : []))).size
    // older servers count what comes in the very moment in which a consumer leaves
    context.expect(recounted === 0 || !context.isRecent, `what is handed back counts no attempt (${recounted} did)`)
    context.note(`${recounted} began as attempt 2`)
    const dead = await deadLetters(fleet)
    context.expect(dead === 0, `no dead letters (${dead})`)
    return counts
  },
}
