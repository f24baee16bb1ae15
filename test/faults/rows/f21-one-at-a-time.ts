import type { Run } from '../counts.js'
import type { Fleet } from '../fleet.js'
import { keyOf } from '../processes/orders.js'
import { brokerAt, type Row } from '../row.js'
import { deadLetters } from '../run-row.js'

const KILLS = 5
const WORKERS = 3

export const row: Row = {
  id: 'F21',
  title: `one run at a time for each key, and the worker that holds one is killed ${KILLS} times`,
  needs: 'rabbitmq',
  async run(context) {
    const node = await context.node()
    const fleet = context.fleet(brokerAt([node.url]))
    await fleet.startWorkers(WORKERS)
    const server = await fleet.server()

    const count = context.size(200, 2000)
    const sent = fleet.dispatch(server, { task: 'keyed', count, perSecond: 100, how: { ms: 50 } })
    const killedAt = new Map<number, number>()
    for (let kill = 1; kill <= KILLS; kill++) {
      await fleet.hasRun(Math.floor((count * kill) / (KILLS + 2)))
      const victim = context.random.pick(fleet.workers.filter(({ isConsuming }) => isConsuming))
      const { pid } = victim
      const held = runningIn(fleet, pid)
      context.step(`kill -9 of worker ${pid}, which runs ${held.map(({ id }) => keyOf(id)).join(', ') || 'no key'}`)
      killedAt.set(pid, Date.now())
      await victim.end('SIGKILL')
    }
    await sent
    const counts = await fleet.drained()

    const overlaps = overlapsOf(fleet.runs(), killedAt)
    context.expect(overlaps.length === 0, `no two runs of a key overlap (${overlaps.join('; ')})`)
    const dead = await deadLetters(fleet)
    context.expect(dead === 0, `no dead letters (${dead})`)
    context.note('limits keep runs apart; the order within a key is no promise')
    return counts
  },
}

const runningIn = (fleet: Fleet, pid: number): readonly Run[] => {
  const own = fleet.runs().filter((run) => run.pid === pid)
  const ended = new Set(own.filter(({ kind }) => kind === 'ended').map(({ id }) => id))
  return own.filter(({ kind, id }) => kind === 'began' && !ended.has(id))
}

/** Runs that began while another one of their key went on, in a process that lived. */
function overlapsOf(runs: readonly Run[], killedAt: ReadonlyMap<number, number>): readonly string[] {
  const holders = new Map<string, Run>()
  const overlaps: string[] = []
  for (const run of runs) {
    const key = keyOf(run.id)
    const holder = holders.get(key)
    if (run.kind === 'began') {
      const isGone = holder === undefined || (killedAt.get(holder.pid) ?? Infinity) <= run.atMs
      if (!isGone) overlaps.push(`${run.id} began while ${holder.id} ran`)
      holders.set(key, run)
    } else if (holder?.id === run.id && holder.pid === run.pid) holders.delete(key)
  }
  return overlaps
}
