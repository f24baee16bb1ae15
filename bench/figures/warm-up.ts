/** Tasks until the compiler of Node has come to rest. */
export const WARM_UP = 16_000
const CHUNK = 1000
/** Slow systems do the same work over and over long before. */
const WARM_UP_MS = 4000

/** Work that is thrown away at the begin, until connections are open and code is compiled: so many tasks, or those of some seconds. */
export async function warmUp(most: number, work: (count: number) => Promise<unknown>): Promise<void> {
  const endMs = performance.now() + WARM_UP_MS
  for (let left = most; left > 0 && performance.now() < endMs; left -= CHUNK) await work(Math.min(CHUNK, left))
}
