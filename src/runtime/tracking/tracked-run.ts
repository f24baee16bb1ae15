import type { TaskNote } from '../../core/context.js'
import { encodeValue } from '../../core/codec/encode.js'
import type { TaskState } from '../../core/lifecycle.js'
import { LARGEST_RESULT } from '../../store/bounds.js'
import type { Run } from '../../core/run.js'
import type { Change, Recorded } from '../../store/store.js'
import type { Answer } from './answer.js'
import { ProgressReports } from './progress-reports.js'
import { recordedError } from './recorded-error.js'
import type { Tracking } from './tracking.js'

/** What a run belongs to. */
export interface TrackedTask {
  readonly id: string
  /** How long its end is kept, where the task says it. */
  readonly keepMs: number | undefined
}

/** Stands for a result that was too large to keep, or could not be encoded. */
export const NOT_KEPT = ''

/** Writes down what becomes of one run, and answers where its task stands then, if that is known. Nothing here rejects. */
export class TrackedRun {
  readonly run: Run
  readonly #task: TrackedTask
  readonly #tracking: Tracking
  readonly #progress: ProgressReports

  constructor(tracking: Tracking, task: TrackedTask, run: Run) {
    this.run = run
    this.#task = task
    this.#tracking = tracking
    this.#progress = new ProgressReports(tracking, task.id, run)
  }

  /** What is handed in before the acknowledgement, in the same turn, is stored with it or before it. */
  get isInOneFile(): boolean {
    return this.#tracking.isInOneFile
  }

  get id(): string {
    return this.#task.id
  }

  /** See `TaskScope.reportProgress`. */
  readonly reportProgress = (value: number | boolean, data: unknown): void => this.#progress.report(value, data)

  /** See `TaskScope.say`. */
  readonly say = (note: TaskNote): void => this.#progress.say(note)

  /** `result` holds the value where the task has one; `answer` goes to the caller, unless a cancellation came before. */
  completed(result: { readonly value: unknown } | undefined, answer?: Answer): Promise<TaskState | undefined> {
    const kept = result === undefined ? undefined : encodedResult(result.value)
    const expiresAt = this.#tracking.expiryOf('completed', this.#task.keepMs)
    const changes = this.#withProgress({ kind: 'completed', ...this.#happened(), expiresAt, result: kept })
    return (answer === undefined ? this.#tracking.record(changes) : this.#tracking.recordAndAnswer(changes, answer)).then(lastState)
  }

  failed(error: unknown): Promise<TaskState | undefined> {
    const expiresAt = this.#tracking.expiryOf('failed', this.#task.keepMs)
    return this.#end({ kind: 'failed', ...this.#happened(), expiresAt, error: recordedError(error) })
  }

  retrying(error: unknown, delayMs: number): Promise<TaskState | undefined> {
    return this.#end({ kind: 'retrying', ...this.#happened(), error: recordedError(error), dueAt: this.#tracking.now() + delayMs })
  }

  /** It was handed back unfinished. */
  released(): Promise<TaskState | undefined> {
    return this.#end({ kind: 'released', ...this.#happened() })
  }

  #end(change: Change): Promise<TaskState | undefined> {
    return this.#tracking.record(this.#withProgress(change)).then(lastState)
  }

  /** The last report of progress goes out with the end. */
  #withProgress(change: Change): readonly Change[] {
    const last = this.#progress.end()
    return last === undefined ? [change] : [last, change]
  }

  #happened(): { readonly id: string; readonly run: Run; readonly at: number } {
    return { id: this.#task.id, run: this.run, at: this.#tracking.now() }
  }
}

const lastState = (recorded: readonly Recorded[] | undefined): TaskState | undefined => recorded?.at(-1)?.state

function encodedResult(value: unknown): string {
  try {
    const text = encodeValue(value, 'Cannot keep the result', 'the result')
    return Buffer.byteLength(text) <= LARGEST_RESULT ? text : NOT_KEPT
  } catch {
    return NOT_KEPT
  }
}
