import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { treeUse, type TreeUse } from '../machine.js'
import { nodeFor } from '../newer-node.js'
import type { Servers } from '../servers.js'
import { Side } from '../side.js'
import type { Place, System } from '../system.js'
import { WARM_UP, warmUp } from './warm-up.js'

/** How much is done for one figure. */
export interface Sizes {
  /** Tasks of a rate. */
  readonly count: number
  /** Calls of a latency. */
  readonly calls: number
  /** The most tasks that wait before a worker comes. */
  readonly backlog: number
}

/** Two windows of this length with next to no use of CPU by anybody: everything that was put off is done. */
const REST_WINDOW_MS = 100
const REST_CPU_SECONDS = 0.015
const REST_PATIENCE_MS = 3000

/** What has not ended by then waits for something that was lost. */
const LIMIT_MS = 10 * 60_000
const LONG_LIMIT_MS = 45 * 60_000

/** Values by the title of their row of tables. */
export type Values = Readonly<Record<string, number>>

/** A group of values that are measured together. */
export interface Figure {
  readonly name: string
  /** Measured only when it is named. @defaultValue false */
  readonly isLong?: boolean
  measure(bench: Bench): Promise<Values>
}

type Given = Readonly<{ system: System; sizes: Sizes; servers: Servers }>

/** What a figure works with: a system at a fresh place. */
export class Bench {
  readonly system: System
  /** No more than the system is to be given. */
  readonly sizes: Sizes
  readonly place: Place
  readonly #servers: Servers
  readonly #sides: Side[] = []

  private constructor(given: Given & { readonly place: Place }) {
    const { count, calls, backlog } = given.sizes
    this.system = given.system
    this.sizes = { count: this.atMost(count), calls: this.atMost(calls), backlog: this.atMost(backlog) }
    this.place = given.place
    this.#servers = given.servers
  }

  /** Measures a figure at a fresh place, and ends what it began. */
  static measure(figure: Figure, given: Given): Promise<Values> {
    return Bench.#run(given, figure.isLong === true ? LONG_LIMIT_MS : LIMIT_MS, (bench) => figure.measure(bench))
  }

  static async #run<T>(given: Given, limitMs: number, work: (bench: Bench) => Promise<T>): Promise<T> {
    const folder = mkdtempSync(join(tmpdir(), 'errand-bench-'))
    const place = { urls: given.servers.urls(), name: `bench-${randomUUID().slice(0, 8)}`, folder }
    const bench = new Bench({ ...given, place })
    const limit = setTimeout(() => bench.#sides.forEach((side) => side.kill()), limitMs)
    try {
      return await work(bench)
    } finally {
      clearTimeout(limit)
      for (const side of bench.#sides) await side.close()
      for (const server of await given.servers.of(given.system)) await server.clear?.()
      rmSync(folder, { recursive: true, force: true })
    }
  }

  /** So many tasks, or as many as the system is to be given where that is less. */
  atMost(count: number): number {
    return Math.min(count, this.system.most ?? Infinity)
  }

  /** Runs `work` with tasks that are thrown away, until code is compiled and connections are open. */
  warmUp(work: (count: number) => Promise<unknown>): Promise<void> {
    return warmUp(this.atMost(WARM_UP), work)
  }

  caller(): Promise<Side> {
    return this.#open('caller')
  }

  worker(): Promise<Side> {
    return this.#open('worker')
  }

  /** The same system and sizes at another fresh place. */
  apart<T>(work: (bench: Bench) => Promise<T>): Promise<T> {
    return Bench.#run({ system: this.system, sizes: this.sizes, servers: this.#servers }, LONG_LIMIT_MS, work)
  }

  /** Resolves once `sides` and the server have nothing to do any more, or after a while with servers that always do something. */
  async rest(...sides: readonly Side[]): Promise<void> {
    const used = async (): Promise<number> => {
      const all = [this.server(), ...sides.map((side) => side.usage())]
      return (await Promise.all(all)).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0)
    }
    const endMs = performance.now() + REST_PATIENCE_MS
    let before = await used()
    for (let calm = 0; calm < 2 && performance.now() < endMs; ) {
      await pause(REST_WINDOW_MS)
      const after = await used()
      calm = after - before <= REST_CPU_SECONDS ? calm + 1 : 0
      before = after
    }
  }

  /** A process that has opened nothing yet. */
  side(): Side {
    const side = new Side(this.place.folder, nodeFor(this.system))
    this.#sides.push(side)
    return side
  }

  /** CPU and memory of its servers so far; nothing where there is none. */
  async server(): Promise<TreeUse> {
    const uses = (await this.#servers.of(this.system)).map(({ pid }) => treeUse(pid))
    const sum = (of: (use: TreeUse) => number): number => uses.reduce((total, use) => total + of(use), 0)
    return { cpuSeconds: sum(({ cpuSeconds }) => cpuSeconds), memoryMb: sum(({ memoryMb }) => memoryMb) }
  }

  /** `values`, where there is a server that they can be of. */
  ofServer(values: Values): Values {
    return this.system.server === undefined ? {} : values
  }

  async #open(which: 'caller' | 'worker'): Promise<Side> {
    const side = this.side()
    await side.open(which, this.system, this.place)
    return side
  }
}

/** The value below which this share of `values` lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
