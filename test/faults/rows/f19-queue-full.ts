import { brokerAt, type Row } from '../row.js'

const LIMIT = 200
const CALLS = 600

export const row: Row = {
  id: 'F19',
  title: `a queue of at most ${LIMIT} gets ${CALLS} calls, and is drained`,
  isBrief: true,
  needs: 'rabbitmq',
  async run(context) {
    const node = await context.node()
    await node.ctl('set_policy', 'short', '^faults[.]q[.]default$', `{"max-length":${LIMIT}}`, '--apply-to', 'queues')
    const fleet = context.fleet(brokerAt([node.url], { confirmTimeout: '5s' }))
    const server = await fleet.server()
    await fleet.dispatch(server, { count: CALLS })
    const full = fleet.counts()
    context.step(`${full.confirmed} of ${CALLS} are stored`)
    await fleet.startWorkers(1)
    const counts = await fleet.drained()

    context.expect(full.confirmed >= LIMIT && full.refused > 0, 'the queue takes what it has room for, and no more')
    const codes = new Set(fleet.calls().flatMap(({ kind, detail }) => (kind === 'refused' ? [detail] : [])))
    context.expect([...codes].join() === 'QUEUE_FULL', `what does not fit is refused with QUEUE_FULL (${[...codes].join(', ')})`)
    await fleet.dispatch(server, { count: 10 })
    const after = await fleet.drained()
    context.expect(after.refused === counts.refused, 'a drained queue takes calls again')
    return after
  },
}
