import type { Isolation } from '../core/task-options.js'
import type { Lanes } from './lanes.js'
import type { Gate } from './limits/gate.js'
import type { Runtime } from './runtime.js'

/** What only the process knows in which the executor is; without `lanes` everything runs here. */
export interface ExecutorOptions {
  readonly lanes?: Lanes | undefined
  /** Where bodies run whose task does not say it. @defaultValue 'inline' */
  readonly isolation?: Isolation | undefined
  /** This is a lane: another executor placed the delivery here, and watches its limits, its time and its crashes. @defaultValue false */
  readonly isLane?: boolean | undefined
  /** A body that runs here goes on after its time limit, or its cancellation, and the grace: nothing but the end of this process can stop it. */
  readonly onStuck?: ((task: string) => void) | undefined
  /** Told of every body that runs here. */
  readonly bodies?: Bodies | undefined
}

/** Knows which bodies run. */
export interface Bodies {
  begin(task: string): void
  end(task: string): void
}

/** What all runs of an executor share. */
export interface Host extends ExecutorOptions {
  readonly runtime: Runtime
  /** Absent in a lane: the limits were kept by who placed the delivery there. */
  readonly gate: Gate | undefined
}
