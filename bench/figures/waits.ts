import { setTimeout as pause } from 'node:timers/promises'
import { quantile, type Figure } from './figure.js'
import { Run } from './rates.js'

const PAUSE_MS = 5
const SIDE_BY_SIDE = 100

/** From a call to the begin of its body, while nothing else happens. */
export const idle: Figure = {
  name: 'idle',
  measure: async (bench) => {
    const { caller, worker } = await Run.open(bench)
    const each: number[] = []
    for (let number = 0; number < bench.sizes.calls; number++) {
      const ran = worker.expect(1)
      const { begunMs } = await caller.dispatch(1, 1)
      const { atMs } = await ran
      each.push(atMs - begunMs)
      // the worker has to be idle again: its acknowledgement is on its way
      await pause(PAUSE_MS)
    }
    return { 'idle, call to body, p50 ms': quantile(each, 0.5), 'idle, call to body, p99 ms': quantile(each, 0.99) }
  },
}

/** From a call to its result. */
export const results: Figure = {
  name: 'results',
  measure: async (bench) => {
    const caller = await bench.caller()
    await bench.worker()
    const { calls, count } = bench.sizes
    if ((await caller.results(1, 1)) === undefined) return {}
    await bench.warmUp((many) => caller.results(many, SIDE_BY_SIDE))
    const alone = await caller.results(calls, 1)
    const many = bench.atMost(Math.max(SIDE_BY_SIDE, Math.floor(count / 2)))
    const together = await caller.results(many, SIDE_BY_SIDE)
    if (alone === undefined || together === undefined) return {}
    return {
      'result, one at a time, p50 ms': quantile(alone.eachMs, 0.5),
      'result, one at a time, p99 ms': quantile(alone.eachMs, 0.99),
      'result, 100 in flight, results/s': (many / (together.endedMs - together.begunMs)) * 1000,
    }
  },
}
