import type { PlannedFailure } from '../../core/retry-policy.js'
import { ErrandError } from '../../errors.js'
import { CallbackFailure } from './callback-failure.js'

/** 5 s, 20 s, 80 s, …: short outages cost little time, and after eight calls half a day has gone by. */
const FIRST_PAUSE_MS = 5_000
const GROWTH = 4
const LONGEST_PAUSE_MS = 6 * 3_600_000

/** How long to wait before the next call; there is one only of what cannot be reached, or says that it is in trouble. */
export function planCallback({ failures, error }: PlannedFailure, retries: number, random: () => number = Math.random): number | undefined {
  if (!isPassing(error) || failures > retries) return undefined
  const pause = Math.min(FIRST_PAUSE_MS * GROWTH ** (failures - 1), LONGEST_PAUSE_MS)
  // half of it by chance, so that receivers are not called by all at once when they are back
  return Math.max(Math.round(pause * (0.5 + random() / 2)), error instanceof CallbackFailure ? error.retryAfterMs : 0)
}

/** The order is read from the store, which may be away as well. */
function isPassing(error: unknown): boolean {
  if (error instanceof CallbackFailure) return error.isPassing
  return error instanceof ErrandError && error.code === 'STORE_UNREACHABLE'
}
