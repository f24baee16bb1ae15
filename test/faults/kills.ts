import type { Fleet } from './fleet.js'
import { pause, type RowContext } from './row.js'

/** Kills a worker of the fleet now and then, as long as `isGoingOn`. Answers how often. */
export async function killWorkersDuring(fleet: Fleet, context: RowContext, isGoingOn: () => boolean): Promise<number> {
  let kills = 0
  while (isGoingOn()) {
    await pause(context.random.between(300, 1500))
    const victims = fleet.workers.filter(({ isConsuming }) => isConsuming)
    if (victims.length === 0) continue
    const victim = context.random.pick(victims)
    context.step(`kill -9 of worker ${victim.pid}`)
    await victim.end('SIGKILL')
    kills += 1
  }
  return kills
}
