import type { Delivery, Verdict } from '../broker/broker.js'
import type { Isolation } from '../core/task-options.js'
import type { Task } from '../core/task.js'
import { assertNever, ErrandError } from '../errors.js'
import type { LazySignal } from '../core/lazy-signal.js'

/** A thread or process that a delivery runs in. */
export interface LanePlace {
  readonly kind: Exclude<Isolation, 'inline'>
  /** Nothing ran there before and nothing will after. */
  readonly isOwn: boolean
}

/** How a run in a lane ended. */
export type LaneEnd =
  | { readonly kind: 'settled'; readonly verdict: Verdict }
  /** The lane died while the delivery ran. */
  | { readonly kind: 'lost'; readonly why: string }
  /** The lane died of something that an earlier delivery left behind. */
  | { readonly kind: 'disturbed' }
  /** There was no lane to run in, or it died before the delivery reached it. */
  | { readonly kind: 'missing'; readonly why: string }
  /** The lane cannot load the services. */
  | { readonly kind: 'unloadable'; readonly why: string }

/** A delivery on its way through a lane. */
export interface LaneRun {
  /** Resolves when the lane has the delivery, or never. */
  readonly begun: Promise<void>
  /** Never rejects. */
  readonly ended: Promise<LaneEnd>
  /** Ends the lane, whatever it does. */
  end(): void
}

/** Runs deliveries in threads and processes, one at a time in each. */
export interface Lanes {
  /** An abort of `signal` reaches the body. Who places a delivery here has written down that its run began. */
  run(delivery: Delivery, place: LanePlace, signal: LazySignal): LaneRun
}

/** A worker that died this often under a delivery is not risked again, however many crashes are allowed. */
const MOST_SHARED_CRASHES = 2
/** What takes the worker down even from its own lane is stopped in the end: this many times `maxCrashes`, and never before the least. */
const HARD_STOP_FACTOR = 5
const LEAST_HARD_STOP = 10
/** Before a lane is tried again that could not be had. */
const MISSING_PAUSE_MS = 1_000

/** Whether a delivery may be what killed the workers that died while they had it. */
export const isSuspect = ({ crashes }: Delivery, maxCrashes: number): boolean => crashes >= Math.min(MOST_SHARED_CRASHES, Math.max(1, maxCrashes - 1))

/** How many crashes end a delivery although none of them was proven to be its own. */
export const hardStopOf = (maxCrashes: number): number => Math.max(LEAST_HARD_STOP, HARD_STOP_FACTOR * maxCrashes)

/** Where a delivery runs; `undefined`: here. */
export function placeOf(task: Task, delivery: Delivery, isolation: Isolation, maxCrashes: number): LanePlace | undefined {
  if (isSuspect(delivery, maxCrashes)) return { kind: 'process', isOwn: true }
  const kind = task.declaration.options.isolation ?? isolation
  return kind === 'inline' ? undefined : { kind, isOwn: false }
}

/**
 * The verdict of a run in a lane; `undefined` for one under which the lane died.
 * @throws ErrandError `SERVICE_LOAD_FAILED`
 */
export function verdictOf(end: LaneEnd): Verdict | undefined {
  switch (end.kind) {
    case 'settled':
      return end.verdict
    case 'disturbed':
      return { kind: 'release' }
    case 'missing':
      return { kind: 'later', delayMs: MISSING_PAUSE_MS }
    case 'unloadable':
      throw new ErrandError('SERVICE_LOAD_FAILED', end.why)
    case 'lost':
      return undefined
    default:
      return assertNever(end)
  }
}
