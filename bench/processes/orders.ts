import type { Place } from '../system.js'

/** What the bench asks of a process that is the caller or the worker of one system. */
export type Order =
  | { readonly do: 'open'; readonly side: 'caller' | 'worker'; readonly system: string; readonly place: Place }
  /** The caller sends; answers {@link Sent}. */
  | { readonly do: 'dispatch'; readonly count: number; readonly inFlight: number }
  /** The caller waits for each before the next; answers {@link Times}. */
  | { readonly do: 'one at a time'; readonly count: number }
  /** The caller asks for results; answers {@link Times}. */
  | { readonly do: 'results'; readonly count: number; readonly inFlight: number }
  /** The worker answers {@link Ran} once `skip` and then `count` bodies more have begun. */
  | { readonly do: 'expect'; readonly count: number; readonly skip: number }
  /** The same, and that it has handed in what became of them; answers {@link Settled}. */
  | { readonly do: 'settle'; readonly count: number }
  /** Neither caller nor worker: what the code of the system costs without a broker; answers {@link Costs}. */
  | { readonly do: 'parts'; readonly system: string; readonly place: Place }
  /** Answers {@link Usage}. */
  | { readonly do: 'usage' }
  | { readonly do: 'close' }

/** Moments are milliseconds of the clock that all processes of a machine share. */
export interface Sent {
  readonly begunMs: number
  readonly endedMs: number
}

export interface Times extends Sent {
  /** How long each took. */
  readonly eachMs: readonly number[]
}

export interface Ran {
  /** When the last of them began. */
  readonly atMs: number
  /** When the first of them began. */
  readonly firstMs: number
  /** What this process used in between. */
  readonly cpuSeconds: number
}

export interface Settled extends Ran {
  /** When the worker had nothing left to hand in. */
  readonly settledMs: number
}

/** Bytes of one process so far. */
export interface Traffic {
  /** Sent and received over sockets. */
  readonly wireBytes: number
  /** Written to files. */
  readonly fileBytes: number
}

/** Microseconds of CPU by what they were used for. */
export type Costs = Readonly<Record<string, number>>

export interface Usage extends Traffic {
  readonly cpuSeconds: number
  readonly memoryMb: number
  readonly peakMemoryMb: number
  /** Bodies that did not get what was sent. */
  readonly wrong: number
}

export interface Question {
  readonly number: number
  readonly order: Order
}

export interface Answer {
  readonly number: number
  readonly value?: unknown
  readonly error?: string
}

/** The clock of {@link Sent}. */
export const nowMs = (): number => Number(process.hrtime.bigint() / 1000n) / 1000
