import { setTimeout as pause } from 'node:timers/promises'
import { nowMs } from './orders.js'

const WINDOW_MS = 2
/** A loop that is active for less of a window only looks whether there is something to do. */
const QUIET_MS = 0.5
/** So many quiet windows one after the other: longer than any round trip to a server of this machine. */
const QUIET_WINDOWS = 10
const PATIENCE_MS = 1000

/**
 * When this process had handed in everything that it still had to: the moment after which its event loop had nothing to do, known by
 * 2 ms. One that never comes to rest has done so at the call. Works for every system, since it asks none of them.
 */
export async function restMs(): Promise<number> {
  const begunMs = nowMs()
  let lastMs = begunMs
  let before = performance.eventLoopUtilization()
  for (let quiet = 0; quiet < QUIET_WINDOWS; ) {
    await pause(WINDOW_MS)
    const after = performance.eventLoopUtilization()
    const isQuiet = performance.eventLoopUtilization(after, before).active < QUIET_MS
    quiet = isQuiet ? quiet + 1 : 0
    if (!isQuiet) lastMs = nowMs()
    if (lastMs - begunMs > PATIENCE_MS) return begunMs
    before = after
  }
  return lastMs
}
