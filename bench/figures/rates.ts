import type { Side } from '../side.js'
import { quantile, type Bench, type Figure } from './figure.js'

/** Unconfirmed tasks of a caller in a hurry. */
export const IN_FLIGHT = 1000
/** What is thrown away at the begin, until connections are open and the compiler of Node has come to rest. */
const WARM_UP = 4000

/** How fast tasks become durable while nobody takes them, and how long one caller waits. */
export const dispatch: Figure = {
  name: 'dispatch',
  measure: async (bench) => {
    const caller = await bench.caller()
    const { count, calls } = bench.sizes
    await caller.dispatch(Math.min(count, WARM_UP), IN_FLIGHT)
    const before = await caller.usage()
    const { begunMs, endedMs } = await caller.dispatch(count, IN_FLIGHT)
    const { cpuSeconds } = await caller.usage()
    const { eachMs } = await caller.oneAtATime(calls)
    return {
      'dispatch, 1,000 in flight, tasks/s': rate(count, endedMs - begunMs),
      'dispatch, CPU s per 10,000': ((cpuSeconds - before.cpuSeconds) / count) * 10_000,
      'dispatch, one at a time, p50 ms': quantile(eachMs, 0.5),
      'dispatch, one at a time, p99 ms': quantile(eachMs, 0.99),
    }
  },
}

/** Tasks that are sent and run at once, and what that costs each side. */
export const endToEnd: Figure = {
  name: 'end-to-end',
  measure: async (bench) => {
    const caller = await bench.caller()
    const worker = await bench.worker()
    await runAll(Math.min(bench.sizes.count, WARM_UP), caller, worker)
    const before = await allUsage(bench, caller, worker)
    const { count } = bench.sizes
    const tookMs = await runAll(count, caller, worker)
    const after = await allUsage(bench, caller, worker)
    const per10k = (side: 'caller' | 'worker' | 'server'): number => ((after[side] - before[side]) / count) * 10_000
    return {
      'end to end, tasks/s': rate(count, tookMs),
      'end to end, CPU s per 10,000, caller': per10k('caller'),
      'end to end, CPU s per 10,000, worker': per10k('worker'),
      'end to end, CPU s per 10,000, server': per10k('server'),
      'end to end, CPU s per 10,000, sum': per10k('caller') + per10k('worker') + per10k('server'),
    }
  },
}

/** Milliseconds from the first call to the begin of the last body. */
export async function runAll(count: number, caller: Side, worker: Side): Promise<number> {
  const ran = worker.expect(count)
  const { begunMs } = await caller.dispatch(count, IN_FLIGHT)
  return (await ran).atMs - begunMs
}

/** Tasks in a second. */
export const rate = (count: number, tookMs: number): number => (count / tookMs) * 1000

async function allUsage(bench: Bench, caller: Side, worker: Side): Promise<Record<'caller' | 'worker' | 'server', number>> {
  const [one, other, server] = await Promise.all([caller.usage(), worker.usage(), bench.server()])
  if (other.wrong > 0) throw new Error(`${bench.system.name}: ${other.wrong} bodies did not get their data or their person`)
  return { caller: one.cpuSeconds, worker: other.cpuSeconds, server: server.cpuSeconds }
}
