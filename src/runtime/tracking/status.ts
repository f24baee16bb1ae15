import { decodeValue } from '../../core/codec/decode.js'
import type { TaskState } from '../../core/lifecycle.js'
import { noteOf, type TaskCancellation } from '../cancellation/cancelled.js'
import type { RecordedError, RecordedRun, RunOutcome, TaskRecord } from '../../store/store.js'
import type { WorkerName } from '../../core/run.js'

/** What a task says of its progress. */
export interface TaskProgress {
  /** Percent from 0 to 100, `true` where a task that never said any completed, and -1 while it has not said any. */
  readonly value: number | boolean
  /** What it said beside; `null` for nothing. */
  readonly data: unknown
  /** What it said for people to read; absent where it said nothing. */
  readonly message?: string | undefined
}

/** A failure as it is known of a task. */
export interface TaskFailure {
  readonly name: string
  readonly message: string
  readonly code?: string | undefined
}

/** One run of a task. */
export interface TaskAttempt {
  /** Number of the delivery, from 1; of a run that a stopping worker handed back, the next one has the same. */
  readonly attempt: number
  readonly startedAt: number
  readonly endedAt?: number | undefined
  /** Host and process id of the worker. */
  readonly worker: WorkerName
  /** How it ended; absent while it runs, and where its process died. */
  readonly outcome?: RunOutcome | undefined
  readonly error?: TaskFailure | undefined
}

/** How a task stands. Times are milliseconds since the epoch. Frozen. */
export interface TaskStatus {
  readonly id: string
  /** `unknown`: nothing is known of it, or nothing any more. */
  readonly state: TaskState
  /** Name of the task. */
  readonly task?: string | undefined
  readonly queue?: string | undefined
  /** Number of its last run, 0 before the first. */
  readonly attempt: number
  /** Its runs in order; of very many the last 100. */
  readonly attempts: readonly TaskAttempt[]
  readonly progress: TaskProgress
  /** Its last failure; of a completed task none. */
  readonly error?: TaskFailure | undefined
  /** Who cancelled it, and why; only of a cancelled task. */
  readonly cancellation?: TaskCancellation | undefined
  /** Id of the user as whom it runs. */
  readonly owner?: string | undefined
  readonly tenant?: string | undefined
  readonly tags: readonly string[]
  readonly key?: string | undefined
  /** The task that called it. */
  readonly parentId?: string | undefined
  /** When the call was made; absent where nothing is known. */
  readonly createdAt?: number | undefined
  /** It is not run before this. */
  readonly dueAt?: number | undefined
  readonly changedAt?: number | undefined
  readonly endedAt?: number | undefined
}

/** What is known of a task, as its users see it. */
export function statusOf(id: string, record: TaskRecord | undefined): TaskStatus {
  if (record === undefined) return Object.freeze({ id, state: 'unknown', attempt: 0, attempts: NO_ATTEMPTS, progress: NO_PROGRESS, tags: NO_TAGS })
  const { expiresAt: _expires, sendingUntil: _sending, result: _result, memo: _memo, runs, progress, error, tags, ...known } = record
  return Object.freeze({
    ...known,
    tags: Object.freeze([...tags]),
    attempt: runs.at(-1)?.attempt ?? 0,
    attempts: Object.freeze(runs.map(attemptOf)),
    progress: progressOf(progress),
    ...(error === undefined ? {} : { error: failureOf(error) }),
    ...(record.state === 'cancelled' ? { cancellation: cancellationOf(error) } : {}),
  })
}

/** What a task said of its progress. */
export function progressOf({ value, data, message }: TaskRecord['progress']): TaskProgress {
  const said = { value, data: data === undefined ? null : readable(data) }
  return Object.freeze(message === undefined ? said : { ...said, message })
}

const NO_ATTEMPTS: readonly TaskAttempt[] = Object.freeze([])
const NO_TAGS: readonly string[] = Object.freeze([])
const NO_PROGRESS: TaskProgress = Object.freeze({ value: -1, data: null })

function attemptOf({ step: _step, error, ...run }: RecordedRun): TaskAttempt {
  return Object.freeze({ ...run, ...(error === undefined ? {} : { error: failureOf(error) }) })
}

function cancellationOf(error: RecordedError | undefined): TaskCancellation {
  const { children: _children, ...told } = noteOf(error)
  return Object.freeze(told)
}

function failureOf({ encoded: _encoded, ...failure }: RecordedError): TaskFailure {
  return Object.freeze(failure)
}

/** Data of classes that this process does not know is not shown; everything else of the task is. */
function readable(data: string): unknown {
  try {
    return decodeValue(data)
  } catch {
    return null
  }
}
