import { setTimeout as pause } from 'node:timers/promises'
import { meterOthers } from './machine.js'

/** A measurement during which others used more of the machine is taken again. */
export const DISTURBED = 0.1

const WINDOW_MS = 250

/** Resolves once others leave the machine alone, or after `patienceMs`. */
export async function untilCalm(patienceMs: number): Promise<void> {
  const endMs = performance.now() + patienceMs
  while (performance.now() < endMs) {
    const others = meterOthers()
    await pause(WINDOW_MS)
    if (others() <= DISTURBED) return
  }
}
