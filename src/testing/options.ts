import type { Context } from '../core/context.js'
import type { FailureReport } from '../core/report.js'
import type { TestClock } from './test-clock.js'

export interface TestingOptions {
  /** `run`: bodies run in this process, through a real message and a re-created context; `capture`: they do not run. @defaultValue 'run' */
  readonly mode?: 'run' | 'capture' | undefined
  /** Further runs of a body that throws. @defaultValue 0 */
  readonly retries?: number | undefined
  /** The objects whose tasks run on themselves, as a service module's exported instances do in a worker. @defaultValue new ones are made */
  readonly instances?: readonly object[] | undefined
  /**
   * URL of the PostgreSQL of the test, for code that calls tasks within its transactions: they are sent when those commit.
   * @defaultValue such calls are refused
   */
  readonly database?: string | undefined
  /**
   * Where time comes from: that of the machine, or one that stands still until `testing.clock.advance()` moves it; delays, retries, time
   * limits and expiry go by it. @defaultValue 'real'
   */
  readonly clock?: 'real' | 'fake' | undefined
}

/** A call as it left, read back from its message. */
export interface CapturedCall {
  readonly id: string
  readonly task: string
  /** The arguments as the worker would see them. */
  readonly args: readonly unknown[]
  /** Who asked; `undefined` outside any request. */
  readonly context: Context | undefined
  readonly queue: string
  readonly delayMs: number
  readonly priority: number
}

/** What `startTesting()` opened. */
export interface Testing {
  /** Every call so far, oldest first. */
  readonly calls: readonly CapturedCall[]
  /** Failures that would have reached the error reporter. */
  readonly failures: readonly FailureReport[]
  /** Its time. @throws ErrandError `CALL_INVALID` when it is advanced without `clock: 'fake'` */
  readonly clock: TestClock
  /**
   * Resolves when no task waits or runs any more. What was committed is waited for, and delayed tasks are as well, unless their time only
   * comes with `clock.advance()`.
   */
  idle(): Promise<void>
  /**
   * Calls a task as `enqueue()` does, waits for its run, and compares what both sides see of the caller, user, headers, URL and all, and
   * the states of all carriers.
   * @throws ErrandError `CONTEXT_DIFFERS` with the paths at which they differ, `CALL_INVALID` with `mode: 'capture'`
   * @example
   * await withContext({ user: ada }, () => testing.assertSameContext(() => mail.sendWelcome(bob)))
   */
  assertSameContext(call: () => Promise<unknown>): Promise<void>
  /** Ends the test mode; calls behave as if nothing had been started. */
  stop(): Promise<void>
}
