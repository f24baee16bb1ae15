import type { Delivery, Verdict } from '../broker/broker.js'
import { unlessGivenUp } from './given-up.js'
import { verdictOf, type LanePlace, type Lanes } from './lanes.js'
import type { Runtime } from './runtime.js'
import { watchOver, type WatchedRun } from './watch-over.js'

/** A run that is about to begin in a lane. */
export interface RunInLane extends Pick<WatchedRun, 'task' | 'tracked' | 'signal'> {
  readonly delivery: Delivery
  /** Runs the body, and lets the next one in that the limits of the task keep waiting. */
  readonly inTurn: <T>(body: () => Promise<T>) => Promise<T>
}

/** The verdict of a thread or process; `undefined` when it died under the delivery. */
export async function runInLane(
  runtime: Runtime,
  { lanes, place }: { readonly lanes: Lanes; readonly place: LanePlace },
  { task, delivery, signal, tracked, inTurn }: RunInLane,
): Promise<Verdict | undefined> {
  const run = lanes.run({ ...delivery, begun: tracked?.run }, place, signal)
  const watched = { task, tracked, signal, begun: run.begun, onIgnored: () => run.end() }
  const end = await unlessGivenUp(inTurn(() => run.ended), (giveUp) => watchOver(runtime, { ...watched, giveUp }))
  if (signal.isAborted && end.kind !== 'settled') throw signal.reason // it was ended for that
  if (end.kind === 'lost') runtime.log.warn(`${task.name} (id ${delivery.id}) lost the ${place.kind} in which it ran: ${end.why}.`)
  const verdict = verdictOf(end)
  // what the lane settled it has written down itself
  if (end.kind !== 'settled' && verdict !== undefined) await tracked?.released()
  return verdict
}
