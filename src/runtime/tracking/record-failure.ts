import type { TaskState } from '../../core/lifecycle.js'
import type { Delivery } from '../../broker/broker.js'
import type { FailedRun } from '../failures.js'
import type { Runtime } from '../runtime.js'
import { runOf } from './begin-run.js'
import { recordedError } from './recorded-error.js'
import { TrackedRun } from './tracked-run.js'
import type { Tracking } from './tracking.js'

/**
 * Writes down how a run failed, or that a message was refused before any; with `delayMs` it is run again after that. Answers where its
 * task stands then, if that is known: one that was cancelled has not failed. Of a message whose
 * seal does not hold nothing is written down: whoever made it could name the task of somebody else.
 */
export async function recordFailure(runtime: Runtime, failed: FailedRun, delayMs: number | undefined): Promise<TaskState | undefined> {
  const { tracking, messages } = runtime
  const { call, task, delivery, error, startedAt } = failed
  if (tracking === undefined || task?.declaration.options.track === false) return undefined
  const seen = call === undefined ? messages.seeCall(delivery.body) : undefined
  const id = call?.id ?? (seen?.refusal === undefined ? seen?.id : undefined)
  if (id === undefined) return released(tracking, delivery)
  const run = failed.tracked?.run ?? (delivery.id === id ? delivery.begun : undefined)
  if (run === undefined && delayMs === undefined) return tracking.refused(id, recordedError(error))
  const keepMs = task?.declaration.options.keepMs
  const tracked = failed.tracked ?? new TrackedRun(tracking, { id, keepMs }, run ?? runOf(delivery, startedAt))
  return delayMs === undefined ? tracked.failed(error) : tracked.retrying(error, delayMs)
}

/** What was begun under the name of a task, before it was known that the message is not its own. */
function released(tracking: Tracking, { id, begun }: Delivery): Promise<TaskState | undefined> {
  return begun === undefined ? Promise.resolve(undefined) : new TrackedRun(tracking, { id, keepMs: undefined }, begun).released()
}
