import { brokerAt, pause, type Row } from '../row.js'

/** Lasts for longer than the alarm, also on a slow machine. */
const BACKLOG = 2000

/** Of the server process, which holds what it cannot send. */
const MOST_MB = 400

export const row: Row = {
  id: 'F16',
  title: 'the disk alarm of the broker is raised under load',
  needs: 'rabbitmq',
  async run(context) {
    const node = await context.node()
    const fleet = context.fleet(brokerAt([node.url]))
    await fleet.startWorkers(1)
    const server = await fleet.server()
    await fleet.dispatch(server, { count: BACKLOG, how: { ms: 200 } })

    const load = fleet.load(server, { perSecond: context.size(200, 500), inFlight: 5000 })
    await pause(1000)
    context.step('alarm')
    await node.ctl('set_disk_free_limit', '9999GB')
    const before = fleet.counts()
    await pause(context.size(8000, 15_000))
    const during = fleet.counts()
    context.step('no alarm')
    await node.ctl('set_disk_free_limit', '50MB')
    await pause(2000)
    await load.stop()
    const counts = await fleet.drained()

    context.expect(during.run > before.run, 'what is stored still runs')
    context.expect(counts.refused === 0, `every call is stored in the end (${counts.refused} were refused)`)
    const warnings = fleet.printed('server').split('takes no messages at the moment').length - 1
    context.expect(warnings === 1, `the server says once that it is held up (${warnings} times)`)
    context.expect(server.mostMb < MOST_MB, `the server stays below ${MOST_MB} MB (${server.mostMb})`)
    context.note(`${during.run - before.run} ran under the alarm; at most ${server.mostMb} MB in the server`)
    return counts
  },
}
