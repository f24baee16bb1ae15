import { join } from 'node:path'
import { until } from '../../kit/until.js'
import type { Row } from '../row.js'
import { deadLetters } from '../run-row.js'
import { SmallDisk } from '../small-disk.js'

/** Room for the messages, their states and the log of the file. */
const DISK = { mb: 12, ballastMb: 8 }

export const row: Row = {
  id: 'E3',
  title: 'embedded queue: the disk is full, then there is room again',
  isBrief: true,
  needs: 'nothing',
  needsDisk: true,
  async run(context) {
    const disk = context.scope.use(SmallDisk.make(join(context.folder, 'disk'), DISK))
    const fleet = context.fleet({ broker: 'sqlite', dataDir: disk.path })
    await fleet.startWorkers(1)
    const server = await fleet.server()
    // half of what the worker can do waits, half of it runs: verdicts have to be written on the full disk too
    const load = fleet.load(server, { perSecond: 400, inFlight: 200, how: { ms: 300 } })
    const refused = () => fleet.calls().filter(({ kind }) => kind === 'refused')
    await until('refusals', () => refused().length > 50, 120_000)
    context.step('the disk is full')
    await load.stop()
    const codes = new Set(refused().map(({ detail }) => detail))
    context.expect([...codes].join() === 'QUEUE_FULL', `calls are refused with QUEUE_FULL (${[...codes].join(', ')})`)

    disk.makeRoom()
    context.step('there is room')
    await fleet.dispatch(server, { count: 100 })
    const counts = await fleet.drained()

    context.expect(counts.duplicates === 0, `nothing runs twice (${counts.duplicates})`)
    const dead = await deadLetters(fleet)
    context.expect(dead === 0, `no dead letters (${dead})`)
    context.note(`${counts.refused} refused with ${[...codes].join(', ')}`)
    return counts
  },
}
