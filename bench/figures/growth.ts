import type { Bench, Figure, Values } from './figure.js'
import type { Ran } from '../processes/orders.js'
import { IN_FLIGHT, rate, Run } from './rates.js'
import { WARM_UP } from './warm-up.js'

/** Tasks that a caller has unconfirmed at once. */
const WIDTHS = [1, 10, 100, 1000, 10_000]
/** So many turns of the caller, where that is less than all tasks. */
const TURNS = 1000
/** Tasks that wait already. */
const DEPTHS = [0, 10_000, 100_000, 1_000_000]

const show = (size: number): string => size.toLocaleString('en-US')

/** Whether a task costs more when many are under way; what a table has of each size stands behind the colon. */
export const inFlight: Figure = {
  name: 'in-flight',
  measure: async (bench) => {
    const run = await Run.open(bench)
    let values: Values = {}
    for (const width of WIDTHS.filter((width) => width === bench.atMost(width))) {
      const count = Math.max(width, Math.min(bench.sizes.count, width * TURNS))
      const { tookMs, cpuSeconds } = await run.measure(count, width)
      const sum = cpuSeconds.caller + cpuSeconds.worker + cpuSeconds.server
      values = {
        ...values,
        [`in flight, tasks/s: ${show(width)}`]: rate(count, tookMs),
        [`in flight, CPU s per 10,000, sum: ${show(width)}`]: (sum / count) * 10_000,
      }
    }
    return values
  },
}

/** Whether a task costs more when many wait: those that join them, and those that a worker takes. */
export const queued: Figure = {
  name: 'queued',
  isLong: true,
  measure: async (bench) => {
    let values: Values = {}
    for (const depth of DEPTHS.filter((depth) => depth <= bench.sizes.backlog)) {
      const measured = await bench.apart((one) => atDepth(one, depth))
      for (const [title, value] of Object.entries(measured)) values = { ...values, [`queued, ${title}: ${show(depth)}`]: value }
    }
    return values
  },
}

async function atDepth(bench: Bench, depth: number): Promise<Values> {
  const { count } = bench.sizes
  const caller = await bench.caller()
  const ahead = bench.atMost(WARM_UP)
  await caller.dispatch(depth + ahead, IN_FLIGHT)
  const before = await caller.usage()
  const { begunMs, endedMs } = await caller.dispatch(count, IN_FLIGHT)
  const joined = await caller.usage()
  await caller.close()

  const worker = bench.side()
  // ordered before it opens: bodies begin at once. Those that warm it up are those that joined, so that `depth` still wait
  const ran = [worker.expect(count, ahead), ...(depth === 0 ? [] : [worker.expect(depth, ahead + count)])]
  await worker.open('worker', bench.system, bench.place)
  const [taken, drained] = await Promise.all(ran)
  if (taken === undefined) throw new Error('nothing was taken')
  const of = (part: string, ran: Ran, many: number): Values => ({
    [`${part}, tasks/s`]: rate(many, ran.atMs - ran.firstMs),
    [`${part}, worker, CPU s per 10,000`]: (ran.cpuSeconds / many) * 10_000,
  })
  return {
    'joined, tasks/s': rate(count, endedMs - begunMs),
    'joined, caller, CPU s per 10,000': ((joined.cpuSeconds - before.cpuSeconds) / count) * 10_000,
    ...of('taken', taken, count),
    ...(drained === undefined ? {} : of('drained', drained, depth)),
    'worker, peak MB': (await worker.usage()).peakMemoryMb,
  }
}
