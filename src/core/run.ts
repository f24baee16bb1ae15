/** A process that runs tasks. */
export interface WorkerName {
  readonly host: string
  readonly pid: number
}

/**
 * One run of a task. All changes of one run carry the same values: they are how a change that comes late, or twice, is told from one
 * of another run.
 */
export interface Run {
  /** The number of the delivery, from 1. Two runs have the same one where a worker handed the task back unfinished. */
  readonly attempt: number
  /** Milliseconds since the epoch, by the clock of the worker. */
  readonly startedAt: number
  readonly worker: WorkerName
}
