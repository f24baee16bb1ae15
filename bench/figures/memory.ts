import { setTimeout as pause } from 'node:timers/promises'
import { nowMs } from '../processes/orders.js'
import { IN_FLIGHT, rate } from './rates.js'
import type { Figure } from './figure.js'

/** How long an idle worker is watched. */
const IDLE_MS = 3000
/** Enough to tell whether memory grows with what waits. */
const BACKLOG = 200_000

/** From nothing to the first body, and what idle processes hold and use. */
export const start: Figure = {
  name: 'start',
  measure: async (bench) => {
    const caller = await bench.caller()
    await caller.dispatch(1, 1)
    const begunMs = nowMs()
    const worker = bench.side()
    const ran = worker.expect(1)
    await worker.open('worker', bench.system, bench.place)
    const { atMs } = await ran
    await bench.rest(caller, worker)
    const [idleCaller, idle, server] = [await caller.usage(), await worker.usage(), await bench.server()]
    await pause(IDLE_MS)
    const { cpuSeconds } = await worker.usage()
    return {
      'start, process to first body, ms': atMs - begunMs,
      'start, worker idle, MB': idle.memoryMb,
      'start, caller idle, MB': idleCaller.memoryMb,
      ...bench.ofServer({ 'start, server idle, MB': server.memoryMb }),
      'start, worker idle, CPU % of a core': ((cpuSeconds - idle.cpuSeconds) / (IDLE_MS / 1000)) * 100,
    }
  },
}

/** Many tasks wait before the worker comes: it must neither slow down nor grow. */
export const backlog: Figure = {
  name: 'backlog',
  isLong: true,
  measure: async (bench) => {
    const count = Math.min(BACKLOG, bench.sizes.backlog)
    const empty = await bench.server()
    const caller = await bench.caller()
    const filled = await caller.dispatch(count, IN_FLIGHT)
    await bench.rest(caller)
    const waiting = await bench.server()
    const worker = bench.side()
    // ordered before it opens: bodies begin at once
    const all = worker.settle(count)
    await worker.open('worker', bench.system, bench.place)
    const { settledMs, firstMs, cpuSeconds } = await all
    await bench.rest(caller, worker)
    const [drained, server] = [await worker.usage(), await bench.server()]
    return {
      'backlog, filled, tasks/s': rate(count, filled.endedMs - filled.begunMs),
      'backlog, taken, tasks/s': rate(count, settledMs - firstMs),
      'backlog, taken, CPU s per 10,000, worker': (cpuSeconds / count) * 10_000,
      'backlog, worker, peak MB': drained.peakMemoryMb,
      ...bench.ofServer({
        'backlog, taken, CPU s per 10,000, server': ((server.cpuSeconds - waiting.cpuSeconds) / count) * 10_000,
        'backlog, server, all waiting, MB': waiting.memoryMb,
        'backlog, server, growth, MB': waiting.memoryMb - empty.memoryMb,
      }),
    }
  },
}
