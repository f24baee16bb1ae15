import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { treeUse } from '../machine.js'
import type { Servers } from '../servers.js'
import { Side } from '../side.js'
import type { Place, System } from '../system.js'

/** How much is done for one figure. */
export interface Sizes {
  /** Tasks of a rate. */
  readonly count: number
  /** Calls of a latency. */
  readonly calls: number
  /** Tasks that wait before a worker comes. */
  readonly backlog: number
}

/** Values by the title of their row of tables. */
export type Values = Readonly<Record<string, number>>

/** A group of values that are measured together. */
export interface Figure {
  readonly name: string
  /** Measured only when it is named. @defaultValue false */
  readonly isLong?: boolean
  measure(bench: Bench): Promise<Values>
}

/** What a figure works with: a system at a fresh place. */
export class Bench {
  readonly system: System
  readonly sizes: Sizes
  readonly place: Place
  readonly #servers: Servers
  readonly #sides: Side[] = []

  private constructor(given: { system: System; sizes: Sizes; servers: Servers; place: Place }) {
    this.system = given.system
    this.sizes = given.sizes
    this.place = given.place
    this.#servers = given.servers
  }

  /** Runs `work` at a fresh place, and ends what it began. */
  static async run<T>(given: { system: System; sizes: Sizes; servers: Servers }, work: (bench: Bench) => Promise<T>): Promise<T> {
    const folder = mkdtempSync(join(tmpdir(), 'errand-bench-'))
    const place = { urls: await given.servers.urls(), name: `bench-${randomUUID().slice(0, 8)}`, folder }
    const bench = new Bench({ ...given, place })
    try {
      return await work(bench)
    } finally {
      for (const side of bench.#sides) await side.close()
      rmSync(folder, { recursive: true, force: true })
    }
  }

  async caller(place = this.place): Promise<Side> {
    return this.#open('caller', place)
  }

  async worker(place = this.place): Promise<Side> {
    return this.#open('worker', place)
  }

  /** A process that has opened nothing yet. */
  side(): Side {
    const side = new Side(this.place.folder)
    this.#sides.push(side)
    return side
  }

  /** CPU and memory of the server so far; nothing where there is none. */
  async server(): Promise<{ readonly cpuSeconds: number; readonly memoryMb: number }> {
    const server = await this.#servers.of(this.system)
    return server === undefined ? { cpuSeconds: 0, memoryMb: 0 } : treeUse(server.pid)
  }

  async #open(which: 'caller' | 'worker', place: Place): Promise<Side> {
    const side = this.side()
    await side.open(which, this.system, place)
    return side
  }
}

/** The value below which this share of `values` lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
