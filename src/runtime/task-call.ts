import type { Task } from '../core/task.js'

/** A call of a task, before it is decided what becomes of it. */
export interface TaskCall {
  readonly task: Task
  readonly self: unknown
  readonly args: readonly unknown[]
}
