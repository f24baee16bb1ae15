import type { OpenedCall } from '../core/message.js'
import type { TaskScope } from '../core/context.js'
import { emit, isHeard } from './events.js'
import type { FailedRun } from './failures.js'
import type { Runtime } from './runtime.js'
import type { TrackedRun } from './tracking/tracked-run.js'

/** Tells listeners what becomes of a run in this process. */
export class RunEvents {
  readonly #runtime: Runtime
  readonly #call: OpenedCall
  readonly #scope: TaskScope
  readonly #begunAt: number

  /** Tells that the run begins. */
  constructor(runtime: Runtime, call: OpenedCall, scope: TaskScope) {
    this.#runtime = runtime
    this.#call = call
    this.#scope = scope
    this.#begunAt = runtime.clock.now()
    if (isHeard('started')) emit(runtime.log, 'started', { ...this.#run(), waitedMs: Math.max(0, this.#begunAt - call.sentAt) })
  }

  /** Where the progress of the run is told; `undefined` where nobody would hear of it. */
  progressTo(tracked: TrackedRun | undefined): TaskScope['reportProgress'] {
    if (!isHeard('progressed')) return tracked?.reportProgress
    return (value, data) => {
      tracked?.reportProgress(value, data)
      emit(this.#runtime.log, 'progressed', { ...this.#run(), value, data: data ?? null })
    }
  }

  completed(): void {
    if (!isHeard('completed')) return
    const told = this.#run()
    emit(this.#runtime.log, 'completed', { ...told, tookMs: told.at - this.#begunAt })
  }

  #run() {
    return { id: this.#call.id, task: this.#scope.name, at: this.#runtime.clock.now(), attempt: this.#scope.attempt }
  }
}

/** Tells listeners that a run failed; with `delayMs` it is run again. Of a message that cannot be opened there is nothing to tell. */
export function emitFailure({ clock, log }: Runtime, { call, delivery, error }: FailedRun, delayMs: number | undefined): void {
  if (call === undefined) return
  const told = { id: call.id, task: call.task, at: clock.now(), attempt: delivery.attempt, error }
  if (delayMs === undefined) emit(log, 'failed', told)
  else emit(log, 'retrying', { ...told, delayMs })
}
