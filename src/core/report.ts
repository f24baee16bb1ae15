/** A failure, as the configured error reporter gets it. No argument value and no secret is in it. */
export interface FailureReport {
  /** One line that names the task or the part that failed. */
  readonly title: string
  readonly error: unknown
  readonly data: FailureData
}

/** What is known of a failure; the fields of a task are absent when no task was running. */
export interface FailureData {
  /** Nothing will try again: the task is dead-lettered, or the worker is gone. */
  readonly fatal: boolean
  readonly task?: string
  readonly id?: string
  readonly attempt?: number
  /** Milliseconds since the epoch. */
  readonly startedAt?: number
  readonly endedAt?: number
  readonly status?: 'failed' | 'retrying'
  readonly code?: string
  readonly userId?: string
  /** Method and URL path of the request that called; without query. */
  readonly request?: string
  /** Type of each argument, never its value: `['User', 'string']`. */
  readonly arguments?: readonly string[]
}

/** Called with every failure. What it throws or rejects with is logged and harms nothing. */
export type ErrorReporter = (report: FailureReport) => void | Promise<void>
