import type { Delivery, Verdict } from '../broker/broker.js'
import { restoreCarriers } from '../core/carrier.js'
import { currentScope, runInScope, type TaskScope } from '../core/context.js'
import type { OpenedCall } from '../core/message.js'
import { promised } from '../core/promised.js'
import { registry } from '../core/registry.js'
import { isReservedName } from '../core/reserved-name.js'
import { retryDelay } from '../core/retry-policy.js'
import type { Task } from '../core/task.js'
import type { Isolation } from '../core/task-options.js'
import { ErrandError } from '../errors.js'
import { answerFailure, answerTo, sealAnswer } from './answers.js'
import { runInHooks } from './around.js'
import { isCancelled } from './cancellation/cancelled.js'
import { heedCancellation } from './cancellation/heed-cancellation.js'
import { settleCancelled } from './cancellation/settle-cancelled.js'
import { COME_AGAIN } from './composition/follow.js'
import { followFailure } from './composition/follow-failure.js'
import { concludeRun, DONE } from './conclude-run.js'
import { deathNote, retryNote } from './death-note.js'
import { reportFailure, type FailedRun } from './failures.js'
import { instanceFor } from './instances.js'
import type { LazySignal } from '../core/lazy-signal.js'
import { hardStopOf, placeOf, verdictOf, type LanePlace, type Lanes } from './lanes.js'
import { Gate } from './limits/gate.js'
import { redactError, secretsOf } from './redact.js'
import { refuseExpiredToken } from './reverify.js'
import { emitFailure, RunEvents } from './run-events.js'
import type { Runtime } from './runtime.js'
import { limitOf, timeoutOf, withinTimeLimit, type LimitedRun } from './time-limit.js'
import { beginRun, settleOver } from './tracking/begin-run.js'
import { recordFailure } from './tracking/record-failure.js'
import type { TrackedRun } from './tracking/tracked-run.js'

/** Runs deliveries. One per worker process. */
export interface Executor {
  /**
   * Opens, restores, runs and settles one delivery. One that fails after `signal` was aborted is released, unless that was its time
   * limit or its cancellation. Rejects only when the thread or process that it ran in died under it: a crash, for the broker to count.
   */
  run(delivery: Delivery, signal: LazySignal): Promise<Verdict>
  /** What becomes of a delivery that was proven to end its process: dead when that was once too often, else it rejects with `reason`. */
  lost(delivery: Delivery, reason: unknown): Promise<Verdict>
}

/** What only the process knows in which the executor is; without `lanes` everything runs here. */
export interface ExecutorOptions {
  readonly lanes?: Lanes | undefined
  /** Where bodies run whose task does not say it. @defaultValue 'inline' */
  readonly isolation?: Isolation | undefined
  /** This is a lane: another executor placed the delivery here, and watches its limits, its time and its crashes. @defaultValue false */
  readonly isLane?: boolean | undefined
  /** A body that runs here goes on after its time limit, or its cancellation, and the grace: nothing but the end of this process can stop it. */
  readonly onStuck?: ((task: string) => void) | undefined
  /** Told of every body that runs here. */
  readonly bodies?: Bodies | undefined
}

/** Knows which bodies run. */
export interface Bodies {
  begin(task: string): void
  end(task: string): void
}

/** An executor over `runtime`. */
export function createExecutor(runtime: Runtime, options: ExecutorOptions = {}): Executor {
  // the limits were kept by who placed it in a lane
  const host = { ...options, runtime, gate: options.isLane === true ? undefined : new Gate(runtime) }
  return {
    run: (delivery, signal) => run(host, delivery, signal),
    lost: (delivery, reason) => lose(runtime, delivery, reason),
  }
}

interface Host extends ExecutorOptions {
  readonly runtime: Runtime
  readonly gate: Gate | undefined
}

async function run(host: Host, delivery: Delivery, signal: LazySignal): Promise<Verdict> {
  const { runtime } = host
  const startedAt = runtime.clock.now()
  let call: OpenedCall | undefined
  let task: Task | undefined
  let tracked: TrackedRun | undefined
  try {
    const opened = (call = runtime.messages.openCall(delivery.body))
    refusePoison(host, call.task, delivery)
    task = taskOf(call)
    if (runtime.settings.reverify && !isReservedName(task.name)) refuseExpiredToken(call.task, call.context, startedAt)
    const scope = { id: call.id, name: task.name, attempt: delivery.attempt, signal, log: runtime.log }
    const entering = host.gate?.enter(task, call, scope)
    const entry = entering instanceof Promise ? await entering : entering
    if (entry?.kind === 'later') return entry
    const inTurn: Run['inTurn'] = entry === undefined ? (body) => body() : (body) => entry.run(body)
    const beginning = beginRun(runtime, { call, task, delivery, startedAt })
    const begun = beginning instanceof Promise ? await beginning : beginning
    if (begun.kind === 'over') {
      return await inTurn(() => settleOver(runtime, opened, begun.state))
    }
    tracked = begun.tracked
    const limited: Run = { task, delivery, signal, tracked, inTurn }
    const place = host.lanes === undefined ? undefined : placeOf(task, delivery, host.isolation ?? 'inline', runtime.settings.maxCrashes)
    const verdict = place === undefined ? await runHere(host, call, scope, limited) : await runInLane(host, place, limited)
    if (verdict !== undefined) return verdict
  } catch (error) {
    if (call !== undefined && isCancelled(signal)) return settleCancelled(runtime, call)
    const late = timeoutOf(signal)
    // aborted because its worker stops: it has not failed, and will be run again by another
    if (signal.isAborted && late === undefined) {
      await tracked?.released()
      return { kind: 'release' }
    }
    return fail(runtime, { delivery, call, task, tracked, error: late ?? error, startedAt })
  }
  return lose(runtime, delivery, new ErrandError('TASK_FAILED', `The thread or process of task ${delivery.id} died under it; it is run again.`))
}

/** A delivery that is about to run. */
interface Run {
  readonly task: Task
  readonly delivery: Delivery
  readonly signal: LazySignal
  /** `undefined` where nothing is kept of it. */
  readonly tracked: TrackedRun | undefined
  /** Runs the body, and lets the next one in that the limits of the task keep waiting. */
  readonly inTurn: <T>(body: () => Promise<T>) => Promise<T>
}

/** Runs the body in this process, in its time. */
async function runHere(host: Host, call: OpenedCall, scope: TaskScope, { task, signal, tracked, inTurn }: Run): Promise<Verdict> {
  const { runtime, isLane = false, bodies } = host
  bodies?.begin(task.name)
  try {
    const events = new RunEvents(runtime, call, scope)
    // field by field: a spread with more fields behind it costs a microsecond
    const { id, name, attempt, log } = scope
    const running = { id, name, attempt, signal: scope.signal, log, reportProgress: events.progressTo(tracked), say: tracked?.say }
    const ended = inTurn(() => runBody(task, call, running))
    const run = { ended, signal, onIgnored: () => host.onStuck?.(task.name) }
    // who placed it in a lane watches over it
    const value = await (isLane ? ended : watchOver(runtime, { task, tracked }, run))
    const { result } = task.declaration.options
    const kept = result ? { value } : undefined
    const answer = answerTo(runtime, call, sealAnswer(runtime, call, { kind: 'completed', value: kept?.value }))
    const concluded = concludeRun(runtime, { call, tracked, answer, events, result: kept })
    // before the message goes; where the order is kept it goes with the rest or after it, if nothing has to be known before
    const isInOrder = tracked?.isInOneFile ?? (runtime.broker.features.storesInOrder && !isLane)
    const isAwaited = call.next !== undefined || !isInOrder || isCancelled(signal)
    return isAwaited && concluded instanceof Promise ? await concluded : DONE
  } finally {
    bodies?.end(task.name)
  }
}

/** The verdict of a thread or process; `undefined` when it died under the delivery. */
async function runInLane({ runtime, lanes }: Host, place: LanePlace, { task, delivery, signal, tracked, inTurn }: Run): Promise<Verdict | undefined> {
  if (lanes === undefined) return undefined
  const run = lanes.run({ ...delivery, begun: tracked?.run }, place, signal)
  const end = await watchOver(runtime, { task, tracked }, { begun: run.begun, ended: inTurn(() => run.ended), signal, onIgnored: () => run.end() })
  if (signal.isAborted && end.kind !== 'settled') throw signal.reason // it was ended for that
  if (end.kind === 'lost') runtime.log.warn(`${task.name} (id ${delivery.id}) lost the ${place.kind} in which it ran: ${end.why}.`)
  const verdict = verdictOf(end)
  // what the lane settled it has written down itself
  if (end.kind !== 'settled' && verdict !== undefined) await tracked?.released()
  return verdict
}

/** What the run ends with, in its time and unless it is cancelled. */
function watchOver<T>(runtime: Runtime, { task, tracked }: Pick<Run, 'task' | 'tracked'>, run: LimitedRun<T>): Promise<T> {
  const ended = tracked === undefined ? run.ended : heedCancellation(runtime, { id: tracked.id, ended: run.ended, signal: run.signal, onIgnored: run.onIgnored })
  const limitMs = limitOf(task, runtime.settings)
  return limitMs === 0 ? ended : withinTimeLimit({ ...runtime, task: task.name, limitMs }, { ...run, ended })
}

function runBody(task: Task, call: OpenedCall, scope: TaskScope): Promise<unknown> {
  const self = instanceFor(task)
  return self instanceof Promise ? self.then((instance) => runOn(instance, task, call, scope)) : runOn(self, task, call, scope)
}

function runOn(self: unknown, task: Task, call: OpenedCall, scope: TaskScope): Promise<unknown> {
  const args = call.readArguments()
  const body = (): Promise<unknown> => promised(() => task.declaration.body.apply(self, args))
  const info = { id: scope.id, task: scope.name, attempt: scope.attempt }
  // what this library does itself is no run of the application's, which may open a transaction around each
  if (isReservedName(task.name)) return runInScope({ context: call.context, task: scope }, body)
  const outside = currentScope()?.attached
  return restoreCarriers(call.carriers, () => {
    const attached = currentScope()?.attached
    // what a carrier attached goes on, and nothing of the flow in which the message arrived
    return runInScope({ context: call.context, task: scope, attached: attached === outside ? undefined : attached }, () => runInHooks(body, info))
  })
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
function refusePoison({ runtime, lanes, isLane = false }: Host, task: string, { crashes }: Delivery): void {
  const { maxCrashes } = runtime.settings
  // in a lane of its own it is proven whether a task kills; before that it may only have been near
  const most = lanes === undefined ? maxCrashes : hardStopOf(maxCrashes)
  if (!isLane && crashes >= most) throw poison(task, crashes, maxCrashes)
}

async function lose(runtime: Runtime, delivery: Delivery, reason: unknown): Promise<Verdict> {
  const { settings, messages, clock } = runtime
  const crashes = delivery.crashes + 1
  if (crashes < settings.maxCrashes) throw reason
  const call = messages.openCall(delivery.body)
  const error = poison(call.task, crashes, settings.maxCrashes)
  return fail(runtime, { delivery: { ...delivery, crashes }, call, task: registry.find(call.task), error, startedAt: clock.now() })
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

async function fail(runtime: Runtime, given: FailedRun): Promise<Verdict> {
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
