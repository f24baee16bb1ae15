import type { System } from '../../system.js'

/** Systems that were tried and do not run, so that nobody looks for them in vain. */
export const refusedSystems: readonly System[] = [
  refused(
    'liteque',
    '0.8.0 hands an async function to a transaction of better-sqlite3: with 12.11.1 every dequeue fails, "Transaction function cannot return a promise"',
  ),
]

function refused(name: string, why: string): System {
  const refuse = (): Promise<never> => Promise.reject(new Error(why))
  return { name, yardstick: 'raw-sqlite', setting: 'refused', refusal: () => why, openCaller: refuse, startWorker: refuse }
}
