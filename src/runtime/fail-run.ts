import type { Delivery, Verdict } from '../broker/broker.js'
import { registry } from '../core/registry.js'
import { retryDelay } from '../core/retry-policy.js'
import { ErrandError } from '../errors.js'
import { answerFailure } from './answers.js'
import { settleCancelled } from './cancellation/settle-cancelled.js'
import { COME_AGAIN } from './composition/follow.js'
import { followFailure } from './composition/follow-failure.js'
import { deathNote, retryNote } from './death-note.js'
import { reportFailure, type FailedRun } from './failures.js'
import type { Host } from './host.js'
import { hardStopOf } from './lanes.js'
import { redactError, secretsOf } from './redact.js'
import { emitFailure } from './run-events.js'
import type { Runtime } from './runtime.js'
import { recordFailure } from './tracking/record-failure.js'

/** @throws ErrandError `TASK_FAILED` for a message that keeps killing its worker */
export function refusePoison({ runtime, lanes, isLane = false }: Host, task: string, { crashes }: Delivery): void {
  const { maxCrashes } = runtime.settings
  // in a lane of its own it is proven whether a task kills; before that it may only have been near
  const most = lanes === undefined ? maxCrashes : hardStopOf(maxCrashes)
  if (!isLane && crashes >= most) throw poison(task, crashes, maxCrashes)
}

/** What becomes of a delivery that was proven to end its process: dead when that was once too often, else it rejects with `reason`. */
export async function loseRun(runtime: Runtime, delivery: Delivery, reason: unknown): Promise<Verdict> {
  const { settings, messages, clock } = runtime
  const crashes = delivery.crashes + 1
  if (crashes < settings.maxCrashes) throw reason
  const call = messages.openCall(delivery.body)
  const error = poison(call.task, crashes, settings.maxCrashes)
  return failRun(runtime, { delivery: { ...delivery, crashes }, call, task: registry.find(call.task), error, startedAt: clock.now() })
}

const poison = (task: string, crashes: number, maxCrashes: number): ErrandError =>
  new ErrandError(
    'TASK_FAILED',
    `${task} is not run again: ${crashes} of its runs ended with the death of their worker process (maxCrashes is ${maxCrashes}).`,
  )

/** Failures before the body, and everything but an error of the body, would fail again. */
const isBodyError = (failed: FailedRun): boolean => failed.task !== undefined && !(failed.error instanceof ErrandError && isFinal(failed.error))

const FINAL: ReadonlySet<string> = new Set([
  'VALUE_UNREADABLE',
  'VALUE_UNSERIALIZABLE',
  'PAYLOAD_TOO_LARGE',
  'CONTEXT_UNRESTORABLE',
  'INSTANCE_UNAVAILABLE',
  'TOKEN_EXPIRED',
  'TASK_FAILED',
])
const isFinal = (error: ErrandError): boolean => FINAL.has(error.code)

/** What becomes of a run that failed: it comes again, is a dead letter, or is settled because its task was cancelled. */
export async function failRun(runtime: Runtime, given: FailedRun): Promise<Verdict> {
  const secrets = secretsOf(given.call?.context, runtime.settings.secretHeaders)
  const failed = { ...given, error: redactError(given.error, secrets) }
  const delayMs = isBodyError(failed) ? delayBeforeRetry(runtime, failed) : undefined
  const state = await recordFailure(runtime, failed, delayMs)
  if (state === 'cancelled') return failed.call === undefined ? { kind: 'done' } : settleCancelled(runtime, failed.call)
  emitFailure(runtime, failed, delayMs)
  await reportFailure(runtime, failed, delayMs === undefined ? 'failed' : 'retrying')
  const { attempt, crashes, note } = failed.delivery
  const failure = { attempt, nowMs: runtime.clock.now(), error: failed.error, secrets }
  if (delayMs !== undefined) return { kind: 'again', delayMs, note: retryNote(note, failure) }
  if (failed.call !== undefined) await answerFailure(runtime, failed.call, failed.error)
  if (!(await followFailure(runtime, failed))) return COME_AGAIN
  return { kind: 'dead', note: deathNote(note, { ...failure, task: failed.call?.task, crashes }) }
}

function delayBeforeRetry(runtime: Runtime, { task, delivery, error }: FailedRun): number | undefined {
  if (task === undefined) return undefined
  const failures = delivery.attempt - delivery.crashes // a run that ended with its worker used up none of the retries
  try {
    return retryDelay(task.declaration.options.retry, { failures, error, defaultRetries: runtime.settings.retries })
  } catch {
    return undefined // a retryIf that throws has not asked for another run
  }
}
