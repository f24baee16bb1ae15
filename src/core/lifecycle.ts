/** Where a task stands. `unknown`: nothing is known of it, or nothing any more. */
export const TASK_STATES = ['unknown', 'scheduled', 'queued', 'running', 'retrying', 'completed', 'failed', 'cancelled'] as const

/** One of {@link TASK_STATES}. */
export type TaskState = (typeof TASK_STATES)[number]

/**
 * Every allowed move. What is known of a task may begin anywhere, because the first news of it can be lost or late; that is also why a
 * waiting task may be found completed. A running task goes back to `queued` when its worker hands it back unfinished. Nothing leads out of
 * an end but one thing, which is no move of the task itself: somebody sends a dead letter once more, and what failed is `queued` again.
 */
export const MOVES: Readonly<Record<TaskState, readonly TaskState[]>> = {
  unknown: ['scheduled', 'queued', 'running', 'retrying', 'completed', 'failed', 'cancelled'],
  scheduled: ['queued', 'running', 'retrying', 'completed', 'failed', 'cancelled'],
  queued: ['running', 'retrying', 'completed', 'failed', 'cancelled'],
  running: ['queued', 'retrying', 'completed', 'failed', 'cancelled'],
  retrying: ['queued', 'running', 'completed', 'failed', 'cancelled'],
  completed: [],
  failed: [],
  cancelled: [],
}

/** Whether a task may go from one state to another. To stay is no move. */
export function canMove(from: TaskState, to: TaskState): boolean {
  return MOVES[from].includes(to)
}

/** Whether a state is an end: nothing leads out of it. */
export function isTerminal(state: TaskState): boolean {
  return MOVES[state].length === 0
}
