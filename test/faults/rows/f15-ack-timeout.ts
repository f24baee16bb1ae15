import { until } from '../../kit/until.js'
import { brokerAt, type Row } from '../row.js'
import { deadLetters } from '../run-row.js'

const SERVER_MS = 5000
const TASK_MS = 12_000
const TASKS = 10

export const row: Row = {
  id: 'F15',
  title: `the server takes back after ${SERVER_MS / 1000} s what is not acknowledged, and tasks take ${TASK_MS / 1000} s`,
  isBrief: true,
  needs: 'rabbitmq',
  async run(context) {
    const node = await context.node()
    await node.eval(`application:set_env(rabbit,consumer_timeout,${SERVER_MS}), application:set_env(rabbit,channel_tick_interval,1000).`)
    const fleet = context.fleet(brokerAt([node.url], { ackTimeout: `${SERVER_MS}ms`, heartbeat: '1s' }))
    await fleet.startWorkers(2)
    const server = await fleet.server()
    for (let round = 1; round <= context.size(1, 10); round++) {
      context.step(`round ${round}`)
      await fleet.dispatch(server, { count: TASKS, how: { ms: TASK_MS } })
      await fleet.dispatch(server, { count: 200, perSecond: 50 })
      await until('the runs', () => fleet.counts().lost === 0, 120_000)
    }
    const counts = await fleet.drained()

    const began = fleet.runs().filter(({ kind }) => kind === 'began').length
    context.expect(began === counts.dispatched, `every task begins once (${began} of ${counts.dispatched})`)
    context.expect(counts.duplicates === 0, `none runs twice (${counts.duplicates})`)
    await fleet.dispatch(server, { count: 50 })
    await until('runs afterwards', () => fleet.counts().lost === 0)
    const dead = await deadLetters(fleet)
    context.expect(dead === 0, `no dead letters (${dead})`)
    return fleet.counts()
  },
}
