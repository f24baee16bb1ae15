import type { Delivery, Verdict } from '../broker/broker.js'
import type { LazySignal } from '../core/lazy-signal.js'
import { Attempt } from './attempt.js'
import { loseRun } from './fail-run.js'
import type { ExecutorOptions } from './host.js'
import { Gate } from './limits/gate.js'
import type { Runtime } from './runtime.js'

/** Runs deliveries. One per worker process. */
export interface Executor {
  /**
   * Opens, restores, runs and settles one delivery. One that fails after `signal` was aborted is released, unless that was its time
   * limit or its cancellation. Rejects only when the thread or process that it ran in died under it: a crash, for the broker to count.
   */
  run(delivery: Delivery, signal: LazySignal): Promise<Verdict>
  /** What becomes of a delivery that was proven to end its process: dead when that was once too often, else it rejects with `reason`. */
  lost(delivery: Delivery, reason: unknown): Promise<Verdict>
}

/** An executor over `runtime`. */
export function createExecutor(runtime: Runtime, options: ExecutorOptions = {}): Executor {
  // the limits were kept by who placed it in a lane
  const host = { ...options, runtime, gate: options.isLane === true ? undefined : new Gate(runtime) }
  return {
    run: (delivery, signal) => Attempt.run(host, delivery, signal),
    lost: (delivery, reason) => loseRun(runtime, delivery, reason),
  }
}
