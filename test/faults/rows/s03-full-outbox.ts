import { join } from 'node:path'
import { until } from '../../kit/until.js'
import { brokerAt, pause, type Row } from '../row.js'
import { SmallDisk } from '../small-disk.js'

const DISK = { mb: 6, ballastMb: 3 }

/** What one process sends and cannot note, it does not send again; the server and the worker empty the outbox in turns. */
const MOST_REPEATED = 2 * 100

export const row: Row = {
  id: 'S3',
  title: 'the disk of the outbox is full while the broker is away',
  needs: 'rabbitmq',
  needsDisk: true,
  async run(context) {
    const node = await context.node()
    const disk = context.scope.use(SmallDisk.make(join(context.folder, 'disk'), DISK))
    const fleet = context.fleet({ ...brokerAt([node.url]), whenBrokerAway: 'spool', dataDir: disk.path })
    await fleet.startWorkers(1)
    const server = await fleet.server()
    await fleet.dispatch(server, { count: 100 })
    await fleet.settled()

    context.step('kill -9 of the broker')
    await node.kill9()
    const load = fleet.load(server, { perSecond: 300, inFlight: 100 })
    const refused = () => fleet.calls().filter(({ kind }) => kind === 'refused')
    await until('refusals', () => refused().length > 50, 120_000)
    context.step('the disk is full')
    await pause(context.size(1000, 10_000))
    await load.stop()
    const codes = new Set(refused().map(({ detail }) => detail))
    context.expect([...codes].join() === 'QUEUE_FULL', `calls are refused with QUEUE_FULL (${[...codes].join(', ')})`)

    context.step('the broker comes back')
    await node.restart()
    const without = await fleet.drained(10_000)
    context.note(without.lost === 0 ? 'the outbox emptied on the full disk' : `${without.lost} calls left the outbox only when there was room`)
    disk.makeRoom()
    context.step('there is room')
    await fleet.drained()
    await fleet.dispatch(server, { count: 100 })
    context.note(`${refused().length} refused with ${[...codes].join(', ')}`)
    const counts = await fleet.drained()
    context.expect(counts.duplicates <= MOST_REPEATED, `at most ${MOST_REPEATED} are sent twice, however long the disk is full (${counts.duplicates})`)
    return counts
  },
}
