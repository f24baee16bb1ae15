import { brokerAt, seconds, type Row } from '../row.js'

/** Of a process that has the whole backlog before it, and none of it inside. */
const MOST_MB = 300

export const row: Row = {
  id: 'S6',
  title: 'a backlog is built up without a worker, and then worked off',
  needs: 'rabbitmq',
  async run(context) {
    const node = await context.node()
    const fleet = context.fleet(brokerAt([node.url]))
    const server = await fleet.server()
    const count = context.size(20_000, 200_000)
    const began = Date.now()
    await fleet.dispatch(server, { count })
    context.step(`${count} calls stored in ${seconds(Date.now() - began)}`)
    const since = Date.now()
    await fleet.startWorkers(2)
    const counts = await fleet.drained()
    context.step('worked off')

    const workerMb = Math.max(...fleet.workers.map(({ mostMb }) => mostMb))
    context.expect(server.mostMb < MOST_MB, `the server stays below ${MOST_MB} MB (${server.mostMb})`)
    context.expect(workerMb < MOST_MB, `workers stay below ${MOST_MB} MB (${workerMb})`)
    context.expect(counts.duplicates === 0, `nothing runs twice (${counts.duplicates})`)
    const took = seconds(Date.now() - since)
    context.note(`stored in ${seconds(since - began)}, worked off in ${took}; at most ${server.mostMb} MB in the server, ${workerMb} MB in a worker`)
    return counts
  },
}
