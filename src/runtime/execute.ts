import type { Delivery, Verdict } from '../broker/broker.js'
import { restoreCarriers } from '../core/carrier.js'
import { runInScope, type TaskScope } from '../core/context.js'
import type { OpenedCall, Outcome } from '../core/message.js'
import { registry } from '../core/registry.js'
import { retryDelay } from '../core/retry-policy.js'
import type { Task } from '../core/task.js'
import { ErrandError } from '../errors.js'
import { runInHooks } from './around.js'
import { deathNote, retryNote } from './death-note.js'
import { reportFailure, type FailedRun } from './failures.js'
import { instanceFor } from './instances.js'
import type { LazySignal } from '../core/lazy-signal.js'
import { Gate } from './limits/gate.js'
import { redactError, secretsOf } from './redact.js'
import { refuseExpiredToken } from './reverify.js'
import type { Runtime } from './runtime.js'

/** Runs deliveries. One per worker process. */
export interface Executor {
  /** Opens, restores, runs and settles one delivery. Never rejects. One that fails after `signal` was aborted is released. */
  run(delivery: Delivery, signal: LazySignal): Promise<Verdict>
}

/** An executor over `runtime`. */
export function createExecutor(runtime: Runtime): Executor {
  const gate = new Gate(runtime)
  return { run: (delivery, signal) => run(runtime, gate, delivery, signal) }
}

async function run(runtime: Runtime, gate: Gate, delivery: Delivery, signal: LazySignal): Promise<Verdict> {
  const startedAt = runtime.clock.now()
  let call: OpenedCall | undefined
  let task: Task | undefined
  try {
    call = runtime.messages.openCall(delivery.body)
    refusePoison(runtime, call.task, delivery)
    task = taskOf(call)
    if (runtime.settings.reverify) refuseExpiredToken(call.task, call.context, startedAt)
    const scope = { id: call.id, name: task.name, attempt: delivery.attempt, signal, log: runtime.log }
    const entry = await gate.enter(task, call, scope)
    if (entry.kind === 'later') return entry
    const [running, opened] = [task, call]
    const value = await entry.run(() => runBody(running, opened, scope))
    await answer(runtime, call, { kind: 'completed', value: task.declaration.options.result ? value : undefined })
    return { kind: 'done' }
  } catch (error) {
    // aborted because its worker stops: it has not failed, and will be run again by another
    if (signal.isAborted) return { kind: 'release' }
    return fail(runtime, { delivery, call, task, error, startedAt })
  }
}

async function runBody(task: Task, call: OpenedCall, scope: TaskScope): Promise<unknown> {
  const args = call.readArguments()
  const self = await instanceFor(task)
  const body = async (): Promise<unknown> => task.declaration.body.apply(self, args)
  const info = { id: scope.id, task: scope.name, attempt: scope.attempt }
  return restoreCarriers(call.carriers, () => runInScope({ context: call.context, task: scope }, () => runInHooks(body, info)))
}

/** @throws ErrandError `TASK_UNKNOWN` */
function taskOf(call: OpenedCall): Task {
  const task = registry.find(call.task)
  if (task !== undefined) return task
  const near = registry.nearestTo(call.task)
  throw new ErrandError(
    'TASK_UNKNOWN',
    `Cannot run ${call.task}: this worker knows no such task.${near === undefined ? '' : ` Did it become ${near}? Then give that one { aliases: ['${call.task}'] }.`} ` +
      'See whether "services" in the configuration names its module.',
  )
}

/** @throws ErrandError `TASK_FAILED` for a message that keeps killing its worker */
function refusePoison(runtime: Runtime, task: string, delivery: Delivery): void {
  const { maxCrashes } = runtime.settings
  if (delivery.crashes < maxCrashes) return
  throw new ErrandError(
    'TASK_FAILED',
    `${task} is not run again: ${delivery.crashes} of its runs ended with the death of their worker process (maxCrashes is ${maxCrashes}).`,
  )
}

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

async function fail(runtime: Runtime, given: FailedRun): Promise<Verdict> {
  const secrets = secretsOf(given.call?.context, runtime.settings.secretHeaders)
  const failed = { ...given, error: redactError(given.error, secrets) }
  const delayMs = isBodyError(failed) ? delayBeforeRetry(runtime, failed) : undefined
  await reportFailure(runtime, failed, delayMs === undefined ? 'failed' : 'retrying')
  const { attempt, crashes, note } = failed.delivery
  const failure = { attempt, nowMs: runtime.clock.now(), error: failed.error, secrets }
  if (delayMs !== undefined) return { kind: 'again', delayMs, note: retryNote(note, failure) }
  if (failed.call !== undefined) await answerFailure(runtime, failed.call, failed.error)
  return { kind: 'dead', note: deathNote(note, { ...failure, task: failed.call?.task, crashes }) }
}

function delayBeforeRetry(runtime: Runtime, { task, delivery, error }: FailedRun): number | undefined {
  if (task === undefined) return undefined
  try {
    return retryDelay(task.declaration.options.retry, { attempt: delivery.attempt, error, defaultRetries: runtime.settings.retries })
  } catch {
    return undefined // a retryIf that throws has not asked for another run
  }
}

/** Sends the outcome to a caller that waits. One that is gone is no failure; a value that cannot travel is one of the task. */
async function answer(runtime: Runtime, call: OpenedCall, outcome: Outcome): Promise<void> {
  if (call.replyTo === undefined) return
  const body = runtime.messages.sealOutcome(call.id, outcome)
  try {
    await runtime.broker.publish({ id: `${call.id}.outcome`, queue: call.replyTo, body, toTemporary: true })
  } catch (error) {
    if (error instanceof ErrandError && error.code === 'PUBLISH_UNROUTABLE') return
    runtime.log.warn(`The outcome of ${call.task} ${call.id} could not be sent to its caller: ${error instanceof Error ? error.message : 'unknown'}`)
  }
}

async function answerFailure(runtime: Runtime, call: OpenedCall, error: unknown): Promise<void> {
  try {
    await answer(runtime, call, { kind: 'failed', error })
  } catch {
    await answer(runtime, call, { kind: 'failed', error: bareError(call.task, error) })
  }
}

/** An error whose own fields cannot travel (an HTTP client's sockets, say), without them: class, message and code can. */
function bareError(task: string, error: unknown): Error {
  if (!(error instanceof Error)) return new ErrandError('TASK_FAILED', `${task} threw a value that cannot travel. Throw an Error.`)
  const bare = Object.create(Object.getPrototypeOf(error) as object) as Error // of the class of the error
  const code: unknown = Reflect.get(error, 'code')
  for (const [key, value] of Object.entries({ name: error.name, message: error.message, code })) {
    if (typeof value === 'string') Object.defineProperty(bare, key, { value, configurable: true, writable: true, enumerable: key === 'code' })
  }
  return bare
}
