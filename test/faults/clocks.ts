import { systemClock, type Clock } from '#src/core/clock.js'
import type { Broker } from '#src/broker/broker.js'
import { until } from '../kit/until.js'
import type { Counts } from './counts.js'
import { Ledger } from './ledger.js'
import { pause, type RowContext } from './row.js'

const HOUR_MS = 3_600_000

/** How far the clock is set, from what it should be. */
const JUMPS_MS = [2 * HOUR_MS, -2 * HOUR_MS, 30_000, -30_000, 0]

/** The clock of the system, set to another time. Timers go on as they do: they know nothing of the time of day. */
export class SetClock implements Clock {
  byMs = 0

  now(): number {
    return systemClock.now() + this.byMs
  }

  after(ms: number, fn: () => void): () => void {
    return systemClock.after(ms, fn)
  }
}

/** Publishes and consumes while the clocks of the publisher and of the consumer are set forward and back, one after the other. */
export async function setClocksUnder(context: RowContext, open: (clock: Clock) => Promise<Broker>): Promise<Counts> {
  const clocks = [new SetClock(), new SetClock()] as const
  const [publisher, consumer] = [await open(clocks[0]), await open(clocks[1])]
  const ledger = new Ledger()
  await ledger.consume(consumer)
  const stop = ledger.load(publisher, 5)
  const delays = ledger.load(publisher, 20, { delayMs: 300 })
  for (let round = 0; round < context.size(1, 20); round++) {
    for (const clock of clocks) {
      for (const byMs of JUMPS_MS) {
        context.step(`the clock of the ${clock === clocks[0] ? 'publisher' : 'consumer'} is ${byMs / 1000} s off`)
        clock.byMs = byMs
        await pause(700)
      }
    }
  }
  await stop()
  await delays()
  await until('everything', () => ledger.isComplete, 60_000).catch(() => {}) // what is missing then is counted
  const counts = ledger.counts()
  context.expect(counts.duplicates === 0, `nothing runs twice (${counts.duplicates})`)
  return counts
}
