import { Worker } from 'node:worker_threads'

export interface WatchdogOptions {
  /** Process id of the parent, read while it was alive for certain. */
  readonly parent: number
  /** This process is killed when it is still there so many milliseconds after the parent was last seen. */
  readonly limitMs: number
  /** @defaultValue 500 */
  readonly everyMs?: number | undefined
  /** The watch cannot be kept. */
  readonly onFailure: (error: unknown) => void
}

/** What the thread is told. */
export type WatchdogOrders = Required<Pick<WatchdogOptions, 'parent' | 'limitMs' | 'everyMs'>>

const CHECK_EVERY_MS = 500
/** Megabytes for a thread that keeps one timer; far more than it uses, far less than a thread may have. */
const LIMITS = { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1, codeRangeSizeMb: 1, stackSizeMb: 1 }

/**
 * Ends this process when it outlives its parent, even if its own code never yields: the watch is kept by a thread, which nothing
 * that runs here can block. It does not keep the process alive.
 */
export function watchParent({ parent, limitMs, everyMs = CHECK_EVERY_MS, onFailure }: WatchdogOptions): void {
  const orders: WatchdogOrders = { parent, limitMs, everyMs }
  try {
    const thread = new Worker(new URL('./watchdog-thread.js', import.meta.url), {
      workerData: orders,
      resourceLimits: LIMITS,
      // neither loaders nor what NODE_OPTIONS loads are for this thread
      execArgv: [],
      env: {},
    })
    thread.unref()
    thread.on('error', onFailure)
  } catch (error) {
    onFailure(error) // threads may be forbidden here
  }
}
