import type { Side } from '../side.js'
import { quantile, type Bench, type Figure } from './figure.js'

/** Unconfirmed tasks of a caller in a hurry. */
export const IN_FLIGHT = 1000
/** Less than this a task is what the bench says to its processes. */
const OWN_BYTES = 10

/** How fast tasks become durable while nobody takes them, and how long one caller waits. */
export const dispatch: Figure = {
  name: 'dispatch',
  measure: async (bench) => {
    const caller = await bench.caller()
    const { count, calls } = bench.sizes
    await bench.warmUp((many) => caller.dispatch(many, IN_FLIGHT))
    await bench.rest(caller)
    const before = await caller.usage()
    const { begunMs, endedMs } = await caller.dispatch(count, IN_FLIGHT)
    await bench.rest(caller)
    const { cpuSeconds } = await caller.usage()
    const { eachMs } = await caller.oneAtATime(calls)
    return {
      'dispatch, 1,000 in flight, tasks/s': rate(count, endedMs - begunMs),
      'dispatch, CPU s per 10,000, caller': ((cpuSeconds - before.cpuSeconds) / count) * 10_000,
      'dispatch, one at a time, p50 ms': quantile(eachMs, 0.5),
      'dispatch, one at a time, p99 ms': quantile(eachMs, 0.99),
    }
  },
}

/** Tasks that are sent and run at once, and what that costs each side. */
export const endToEnd: Figure = {
  name: 'end-to-end',
  measure: async (bench) => {
    const { count } = bench.sizes
    const run = await Run.open(bench)
    const { tookMs, cpuSeconds, wireBytes, fileBytes } = await run.measure(count, IN_FLIGHT)
    const per10k = (seconds: number): number => (seconds / count) * 10_000
    const { caller, worker, server } = cpuSeconds
    return {
      'end to end, tasks/s': rate(count, tookMs),
      'end to end, CPU s per 10,000, caller': per10k(caller),
      'end to end, CPU s per 10,000, worker': per10k(worker),
      ...bench.ofServer({ 'end to end, CPU s per 10,000, server': per10k(server) }),
      'end to end, CPU s per 10,000, sum': per10k(caller + worker + server),
      ...bench.ofServer({ 'end to end, bytes a task on the wire': Math.round(wireBytes / count) }),
      ...(fileBytes / count < OWN_BYTES ? {} : { 'end to end, bytes a task to files, caller and worker': Math.round(fileBytes / count) }),
    }
  },
}

/** Tasks in a second. */
export const rate = (count: number, tookMs: number): number => (count / tookMs) * 1000

/** What so many tasks took and cost from the first call until everything was settled. */
export interface Cost {
  readonly tookMs: number
  readonly cpuSeconds: Readonly<Record<'caller' | 'worker' | 'server', number>>
  readonly wireBytes: number
  readonly fileBytes: number
}

/** A caller and a worker that are warm. */
export class Run {
  readonly caller: Side
  readonly worker: Side
  readonly #bench: Bench

  private constructor(bench: Bench, caller: Side, worker: Side) {
    this.#bench = bench
    this.caller = caller
    this.worker = worker
  }

  static async open(bench: Bench): Promise<Run> {
    const run = new Run(bench, await bench.caller(), await bench.worker())
    await bench.warmUp((count) => run.tookMs(count, IN_FLIGHT))
    return run
  }

  /** From the first call until the worker has handed in what became of the last. */
  async tookMs(count: number, inFlight: number): Promise<number> {
    const settled = this.worker.settle(count)
    const { begunMs } = await this.caller.dispatch(count, inFlight)
    return (await settled).settledMs - begunMs
  }

  /** CPU and bytes count until all three processes are at rest, so that nothing is left out that was put off. */
  async measure(count: number, inFlight: number): Promise<Cost> {
    const before = await this.#used()
    const tookMs = await this.tookMs(count, inFlight)
    const after = await this.#used()
    if (after.wrong > 0) throw new Error(`${this.#bench.system.name}: ${after.wrong} bodies did not get their data or their person`)
    const cpuOf = (side: 'caller' | 'worker' | 'server'): number => after[side] - before[side]
    return {
      tookMs,
      cpuSeconds: { caller: cpuOf('caller'), worker: cpuOf('worker'), server: cpuOf('server') },
      wireBytes: after.wireBytes - before.wireBytes,
      fileBytes: after.fileBytes - before.fileBytes,
    }
  }

  async #used() {
    await this.#bench.rest(this.caller, this.worker)
    const [caller, worker, server] = await Promise.all([this.caller.usage(), this.worker.usage(), this.#bench.server()])
    return {
      caller: caller.cpuSeconds,
      worker: worker.cpuSeconds,
      server: server.cpuSeconds,
      wireBytes: caller.wireBytes + worker.wireBytes,
      fileBytes: caller.fileBytes + worker.fileBytes,
      wrong: worker.wrong,
    }
  }
}
