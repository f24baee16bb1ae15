import type { Logger } from '../core/logger.js'
import { processState } from '../core/process-state.js'
import { show } from '../core/options.js'
import { ErrandError } from '../errors.js'
import { traceOf } from './trace.js'

/** What every event tells. Frozen. */
export interface TaskEvent {
  /** Id of the task. */
  readonly id: string
  /** Its name. */
  readonly task: string
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** Something that happened in a run. */
export interface TaskRunEvent extends TaskEvent {
  /** Number of the run, from 1. */
  readonly attempt: number
}

/** A process that ran tasks and died. Frozen. */
export interface WorkerDeath {
  readonly pid: number
  /** How it ended, as the rest of a sentence about it. */
  readonly why: string
  readonly at: number
}

/** What can be listened to, and what a listener is told. */
export interface Events {
  /** A call was made, here, and would survive a crash. */
  readonly queued: TaskEvent & { readonly queue: string; readonly delayMs: number }
  /** Its body begins. */
  readonly started: TaskRunEvent & { /** Since the call was made. */ readonly waitedMs: number }
  /** It called `setProgress()`. */
  readonly progressed: TaskRunEvent & { readonly value: number | boolean; readonly data: unknown }
  /** A run failed; it is run again after `delayMs`. */
  readonly retrying: TaskRunEvent & { readonly error: unknown; readonly delayMs: number }
  readonly completed: TaskRunEvent & { readonly tookMs: number }
  /** It failed for good. */
  readonly failed: TaskRunEvent & { readonly error: unknown }
  /** Its message was settled because it had been cancelled. */
  readonly cancelled: TaskEvent
  /** A worker of this host died, and was not asked to; heard in the server that watches over the workers. */
  readonly 'worker.died': WorkerDeath
}

const NAMES: readonly (keyof Events)[] = ['queued', 'started', 'progressed', 'retrying', 'completed', 'failed', 'cancelled', 'worker.died']

type Listeners = { readonly [K in keyof Events]: Set<(event: Events[K]) => unknown> }

const listeners = processState(
  'events',
  (): Listeners => ({
    queued: new Set(),
    started: new Set(),
    progressed: new Set(),
    retrying: new Set(),
    completed: new Set(),
    failed: new Set(),
    cancelled: new Set(),
    'worker.died': new Set(),
  }),
)

/**
 * Calls `listener` whenever that happens to a task in this process: `queued` where the call is made, everything else in the worker, and of
 * a task in a thread or process of its own in there; `worker.died` in the server. Put it in a module that the services import, to hear it in all of them. Nothing waits
 * for listeners, and one that fails is logged and harms nothing.
 * @returns a function that takes it away again
 * @throws ErrandError `OPTION_INVALID` for a name that is no event
 * @example
 * on('failed', ({ task, error }) => alert(`${task} failed: ${error}`))
 */
export function on<K extends keyof Events>(event: K, listener: (event: Events[K]) => unknown): () => void {
  if (!NAMES.includes(event)) throw new ErrandError('OPTION_INVALID', `on() has no event ${show(event)}. It takes: ${NAMES.join(', ')}.`)
  if (typeof listener !== 'function') throw new ErrandError('OPTION_INVALID', `on('${event}') takes a function, got ${show(listener)}.`)
  // a function of its own for each use, should the same one be given twice
  const own = (told: Events[K]): unknown => listener(told)
  listeners[event].add(own)
  return () => void listeners[event].delete(own)
}

/** Whether anybody listens. */
export const isHeard = (event: keyof Events): boolean => listeners[event].size > 0

/** Tells the listeners. Never throws, and waits for nobody. */
export function emit<K extends keyof Events>(log: Logger, event: K, told: Events[K]): void {
  if (!isHeard(event)) return
  Object.freeze(told)
  for (const listener of listeners[event]) void call(log, event, () => listener(told))
}

async function call(log: Logger, event: string, listener: () => unknown): Promise<void> {
  try {
    await listener()
  } catch (error) {
    log.error(`A listener of "${event}" failed: ${traceOf(error)}`)
  }
}
