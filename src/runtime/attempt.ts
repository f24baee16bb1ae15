import type { Delivery, Verdict } from '../broker/broker.js'
import type { TaskScope } from '../core/context.js'
import type { LazySignal } from '../core/lazy-signal.js'
import type { OpenedCall } from '../core/message.js'
import { isReservedName } from '../core/reserved-name.js'
import type { Task } from '../core/task.js'
import { ErrandError } from '../errors.js'
import { answerTo, sealAnswer } from './answers.js'
import { isCancelled } from './cancellation/cancelled.js'
import { settleCancelled } from './cancellation/settle-cancelled.js'
import { concludeRun, DONE } from './conclude-run.js'
import { failRun, loseRun, refusePoison } from './fail-run.js'
import type { Host } from './host.js'
import { placeOf } from './lanes.js'
import type { Entry } from './limits/gate.js'
import { refuseExpiredToken } from './reverify.js'
import { runBody, taskOf } from './run-body.js'
import { runInLane } from './run-in-lane.js'
import { RunEvents } from './run-events.js'
import { timeoutOf } from './time-limit.js'
import { beginRun, settleOver, type Begun } from './tracking/begin-run.js'
import type { TrackedRun } from './tracking/tracked-run.js'
import { watchOver } from './watch-over.js'

/** A call that was opened, and the task that it is of. */
interface Known {
  readonly call: OpenedCall
  readonly task: Task
  readonly scope: TaskScope
}

/**
 * One run of a delivery: it opens the message, asks whether it may begin, runs the body and comes to a verdict. Each step goes on with the
 * next one at once where nothing has to be waited for: a promise and an `await` for each would cost a run several microseconds.
 */
export class Attempt {
  readonly #host: Host
  readonly #delivery: Delivery
  readonly #signal: LazySignal
  readonly #startedAt: number
  readonly #settle: (verdict: Verdict | Promise<Verdict>) => void
  #call: OpenedCall | undefined
  #task: Task | undefined
  #tracked: TrackedRun | undefined
  /** Its body runs here, since it was called. */
  #runsHere = false
  #endWatch: (() => void) | undefined
  /** Whatever its body ends with comes too late. */
  #isOver = false

  private constructor(host: Host, delivery: Delivery, signal: LazySignal, settle: (verdict: Verdict | Promise<Verdict>) => void) {
    this.#host = host
    this.#delivery = delivery
    this.#signal = signal
    this.#startedAt = host.runtime.clock.now()
    this.#settle = settle
  }

  /** See `Executor.run`. */
  static run(host: Host, delivery: Delivery, signal: LazySignal): Promise<Verdict> {
    return new Promise((settle) => {
      const attempt = new Attempt(host, delivery, signal, settle)
      attempt.#step(() => attempt.#open())
    })
  }

  #open(): void {
    const { runtime, gate } = this.#host
    const call = (this.#call = runtime.messages.openCall(this.#delivery.body))
    refusePoison(this.#host, call.task, this.#delivery)
    const task = (this.#task = taskOf(call))
    if (runtime.settings.reverify && !isReservedName(task.name)) refuseExpiredToken(call.task, call.context, this.#startedAt)
    const scope = { id: call.id, name: task.name, attempt: this.#delivery.attempt, signal: this.#signal, log: runtime.log }
    const known = { call, task, scope }
    this.#then(gate?.enter(task, call, scope), (entry) => this.#enter(known, entry))
  }

  /** The limits of the task have let it in, or have not. */
  #enter(known: Known, entry: Entry | undefined): void {
    if (entry?.kind === 'later') return this.#end(entry)
    const { call, task } = known
    const beginning = beginRun(this.#host.runtime, { call, task, delivery: this.#delivery, startedAt: this.#startedAt })
    this.#then(beginning, (begun) => this.#begin(known, begun, entry === undefined ? (body) => body() : (body) => entry.run(body)))
  }

  /** It is written down that it begins, or known that it need not. */
  #begin(known: Known, begun: Begun, inTurn: <T>(body: () => Promise<T>) => Promise<T>): void {
    const { runtime, lanes, isolation = 'inline' } = this.#host
    const { call, task } = known
    if (begun.kind === 'over') return this.#then(inTurn(() => settleOver(runtime, call, begun.state)), (verdict) => this.#end(verdict))
    const tracked = (this.#tracked = begun.tracked)
    const delivery = this.#delivery
    const place = lanes === undefined ? undefined : placeOf(task, delivery, isolation, runtime.settings.maxCrashes)
    if (lanes === undefined || place === undefined) return this.#runHere(known, inTurn)
    const verdict = runInLane(runtime, { lanes, place }, { task, delivery, signal: this.#signal, tracked, inTurn })
    this.#then(verdict, (given) => this.#end(given ?? loseRun(runtime, delivery, diedUnder(delivery))))
  }

  /** Runs the body in this process, in its time. */
  #runHere(known: Known, inTurn: <T>(body: () => Promise<T>) => Promise<T>): void {
    const { call, task, scope } = known
    const { runtime, isLane = false, bodies, onStuck } = this.#host
    const tracked = this.#tracked
    bodies?.begin(task.name)
    this.#runsHere = true
    const events = new RunEvents(runtime, call, scope)
    // field by field: a spread with more fields behind it costs a microsecond
    const { id, name, attempt, log } = scope
    const running = { id, name, attempt, signal: scope.signal, log, reportProgress: events.progressTo(tracked), say: tracked?.say }
    const ended = inTurn(() => runBody(task, call, running))
    // who placed it in a lane watches over it
    if (!isLane) {
      const giveUp = (error: unknown): void => this.#fail(error)
      this.#endWatch = watchOver(runtime, { task, tracked, signal: this.#signal, onIgnored: () => onStuck?.(task.name), giveUp })
    }
    this.#then(ended, (value) => this.#conclude(known, events, value))
  }

  /** Its body ended well. */
  #conclude({ call, task }: Known, events: RunEvents, value: unknown): void {
    if (this.#isOver) return
    const { runtime, isLane = false } = this.#host
    const tracked = this.#tracked
    const kept = task.declaration.options.result ? { value } : undefined
    const answer = answerTo(runtime, call, sealAnswer(runtime, call, { kind: 'completed', value: kept?.value }))
    const concluded = concludeRun(runtime, { call, tracked, answer, events, result: kept })
    // before the message goes; where the order is kept it goes with the rest or after it, if nothing has to be known before
    const isInOrder = tracked?.isInOneFile ?? (runtime.broker.features.storesInOrder && !isLane)
    const isAwaited = call.next !== undefined || !isInOrder || isCancelled(this.#signal)
    this.#end(isAwaited ? concluded : DONE)
  }

  #fail(error: unknown): void {
    if (!this.#isOver) this.#end(this.#verdictOf(error))
  }

  async #verdictOf(error: unknown): Promise<Verdict> {
    const { runtime } = this.#host
    const [call, task, tracked] = [this.#call, this.#task, this.#tracked]
    if (call !== undefined && isCancelled(this.#signal)) return settleCancelled(runtime, call)
    const late = timeoutOf(this.#signal)
    // aborted because its worker stops: it has not failed, and will be run again by another
    if (this.#signal.isAborted && late === undefined) {
      await tracked?.released()
      return { kind: 'release' }
    }
    return failRun(runtime, { delivery: this.#delivery, call, task, tracked, error: late ?? error, startedAt: this.#startedAt })
  }

  #end(verdict: Verdict | Promise<Verdict>): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#endWatch?.()
    if (this.#runsHere && this.#task !== undefined) this.#host.bodies?.end(this.#task.name)
    this.#settle(verdict)
  }

  /** Goes on with what `given` is or resolves to; what that or the next step throws is a failure of the run. */
  #then<T>(given: T | Promise<T>, step: (value: T) => void): void {
    if (given instanceof Promise) void given.then((value) => this.#step(() => step(value)), (error: unknown) => this.#fail(error))
    else step(given)
  }

  #step(step: () => void): void {
    try {
      step()
    } catch (error) {
      this.#fail(error)
    }
  }
}

const diedUnder = ({ id }: Delivery): ErrandError => new ErrandError('TASK_FAILED', `The thread or process of task ${id} died under it; it is run again.`)
