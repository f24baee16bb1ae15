import { existsSync, readFileSync } from 'node:fs'

/** A run of a task that was written down. */
export interface Run {
  readonly kind: 'began' | 'failed' | 'ended'
  readonly id: string
  readonly attempt: number
  readonly pid: number
  readonly atMs: number
}

/** A call that was settled. */
export interface Call {
  readonly kind: 'called' | 'stored' | 'refused' | 'delayed'
  readonly id: string
  /** Code of the refusal, or milliseconds of the delay. */
  readonly detail: string
  readonly atMs: number
}

/** What a row came to. */
export interface Counts {
  readonly dispatched: number
  readonly confirmed: number
  readonly refused: number
  /** Distinct ids whose body ended. */
  readonly run: number
  /** Bodies that ended beyond the first for their id. */
  readonly duplicates: number
  /** Confirmed and never ended. */
  readonly lost: number
  /** Ended and never called. */
  readonly unexpected: number
  /** Longest time between two confirmed calls. */
  readonly longestGapMs: number
}

/** What processes wrote down, read as it grows. */
export class Journal {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  calls(): readonly Call[] {
    return this.#lines().map(([kind, id = '', ...rest]) => ({
      // written by processes/journal.ts
      kind: kind as Call['kind'],
      id,
      detail: rest.length > 1 ? (rest[0] ?? '') : '',
      atMs: Number(rest.at(-1)),
    }))
  }

  runs(): readonly Run[] {
    return this.#lines().map(([kind, id = '', attempt, pid, at]) => ({
      // written by processes/journal.ts
      kind: kind as Run['kind'],
      id,
      attempt: Number(attempt),
      pid: Number(pid),
      atMs: Number(at),
    }))
  }

  /** Without the last line where that is not whole. */
  #lines(): readonly (readonly string[])[] {
    if (!existsSync(this.#path)) return []
    const lines = readFileSync(this.#path, 'utf8').split('\n')
    return lines.slice(0, -1).map((line) => line.split(' '))
  }
}

export function countUp(calls: readonly Call[], runs: readonly Run[]): Counts {
  const stored = calls.filter(({ kind }) => kind === 'stored')
  const ended = runs.filter(({ kind }) => kind === 'ended')
  const called = new Set(calls.filter(({ kind }) => kind === 'called').map(({ id }) => id))
  const ids = new Set(ended.map(({ id }) => id))
  return {
    dispatched: called.size,
    confirmed: stored.length,
    refused: calls.filter(({ kind }) => kind === 'refused').length,
    run: ids.size,
    duplicates: ended.length - ids.size,
    lost: stored.filter(({ id }) => !ids.has(id)).length,
    unexpected: [...ids].filter((id) => !called.has(id)).length,
    longestGapMs: longestGap(stored.map(({ atMs }) => atMs)),
  }
}

export function longestGap(timesMs: readonly number[]): number {
  const sorted = [...timesMs].sort((one, other) => one - other)
  return sorted.reduce((longest, time, index) => Math.max(longest, time - (sorted[index - 1] ?? time)), 0)
}
