import { setTimeout as sleep } from 'node:timers/promises'
import { asyncTask, currentTask } from 'errand'
import { dieAt } from './deaths.js'
import { record } from './journal.js'
import { keyOf, type How } from './orders.js'

/** Writes down that it began and that it ended; in between it does as it was told. */
async function effect(id: string, how: How): Promise<void> {
  const { attempt } = currentTask()
  record('ERRAND_FAULT_EFFECTS', 'began', id, attempt, process.pid)
  dieAt('begun')
  if (how.isPoison === true) process.kill(process.pid, 'SIGKILL')
  if (how.blockMs !== undefined && attempt === 1) block(how.blockMs)
  if (how.ms !== undefined) await sleep(how.ms)
  if (how.failures !== undefined && attempt <= how.failures) {
    record('ERRAND_FAULT_EFFECTS', 'failed', id, attempt, process.pid)
    throw new Error('as planned')
  }
  record('ERRAND_FAULT_EFFECTS', 'ended', id, attempt, process.pid)
  dieAt('body over')
}

function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}

export const work = asyncTask(async function work(id: string, how: How): Promise<void> {
  await effect(id, how)
})

export const retried = asyncTask(
  async function retried(id: string, how: How): Promise<void> {
    await effect(id, how)
  },
  { retries: 4, backoff: '200ms' },
)

/** One run at a time of those whose ids end with the same figure. */
export const keyed = asyncTask(
  async function keyed(id: string, how: How): Promise<void> {
    await effect(id, how)
  },
  { concurrency: 1, limitBy: (id: string) => keyOf(id) },
)
