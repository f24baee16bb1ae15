import { ErrandError } from '../errors.js'
import { currentScope } from '../core/context.js'
import type { Logger } from '../core/logger.js'
import { reportProgress } from './report-progress.js'

/** The task whose body is running. */
export interface CurrentTask {
  /** Unique; the same through all attempts. */
  readonly id: string
  readonly name: string
  /** 1 for the first run. */
  readonly attempt: number
  /** Aborts when the run is to end: its time limit is over (`TASK_TIMEOUT`), it was cancelled (`TASK_CANCELLED`), or the worker stops and its grace period is over. */
  readonly signal: AbortSignal
  /** Logs as the worker does: each line with process, task id and user. */
  readonly log: Logger
  /** See {@link setProgress}. */
  setProgress(value: number | true, data?: unknown): void
}

/** Whether this code runs inside the body of a task, in a worker or inline. */
export const isAsyncTask = (): boolean => currentScope()?.task !== undefined

/** The id of the task whose body is running; `undefined` elsewhere. */
export const currentTaskId = (): string | undefined => currentScope()?.task?.id

/**
 * The task whose body is running.
 * @throws ErrandError `NOT_IN_TASK` elsewhere; ask {@link isAsyncTask} first where both can be
 */
export function currentTask(): CurrentTask {
  const task = currentScope()?.task
  if (task === undefined) {
    throw new ErrandError('NOT_IN_TASK', 'currentTask() was called outside the body of a task. Ask isAsyncTask() first where both can be.')
  }
  return {
    id: task.id,
    name: task.name,
    attempt: task.attempt,
    get signal() {
      return task.signal.signal
    },
    log: task.log,
    setProgress: (value, data) => reportProgress(task, value, data),
  }
}
