import { nowMs } from '../processes/orders.js'
import { IN_FLIGHT, rate } from './rates.js'
import type { Figure } from './figure.js'

/** From nothing to the first body, and what an idle worker holds. */
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
    const [idle, server] = [await worker.usage(), await bench.server()]
    return {
      'worker, process to first body, ms': atMs - begunMs,
      'worker, idle, MB': idle.memoryMb,
      'server, idle, MB': server.memoryMb,
    }
  },
}

/** Many tasks wait before the worker comes: it must neither slow down nor grow. */
export const backlog: Figure = {
  name: 'backlog',
  isLong: true,
  measure: async (bench) => {
    const count = bench.sizes.backlog
    const caller = await bench.caller()
    await caller.dispatch(count, IN_FLIGHT)
    const waiting = await bench.server()
    const worker = bench.side()
    // ordered before it opens: bodies begin at once
    const all = worker.expect(count)
    await worker.open('worker', bench.system, bench.place)
    const { atMs, firstMs } = await all
    return {
      'backlog, taken, tasks/s': rate(count, atMs - firstMs),
      'backlog, worker, peak MB': (await worker.usage()).peakMemoryMb,
      'backlog, server, all waiting, MB': waiting.memoryMb,
    }
  },
}
