import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'

/** Long enough for a loaded machine; no test is slower for it, only a failing one. */
const PATIENCE_MS = 60_000
const STEP_MS = 5

/**
 * Waits until `condition` answers something other than `false`, `null` or `undefined`, and gives that. Rejects after `patienceMs`,
 * saying what it waited for. What other processes said before the condition held has been heard by then, as far as this process listens.
 */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  patienceMs = PATIENCE_MS,
): Promise<Exclude<T, false | null | undefined>> {
  const deadline = Date.now() + patienceMs
  for (;;) {
    const answer = await condition()
    if (answer !== false && answer !== null && answer !== undefined) {
      // a process that stood still finds files and timers before it reads its pipes
      await turn()
      // the three excluded values were just ruled out
      return answer as Exclude<T, false | null | undefined>
    }
    if (Date.now() > deadline) throw new Error(`Waited ${patienceMs} ms in vain for: ${what}`)
    await sleep(STEP_MS)
  }
}
