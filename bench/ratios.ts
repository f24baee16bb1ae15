import type { Measured } from './rounds.js'

/** One value of a system in every round that has it. */
export const valuesOf = (title: string, system: string, measured: readonly Measured[]): readonly number[] =>
  measured.filter((one) => one.system === system).flatMap(({ values }) => values[title] ?? [])

/** The ratios of one value of a system to the same, or `as`, of another, each within one round. */
export function ratiosOf(title: string, measured: readonly Measured[], { system, against, as = title }: Pair): readonly number[] {
  const valueOf = (name: string, value: string, round: number): number =>
    measured.find((one) => one.system === name && one.round === round)?.values[value] ?? Number.NaN
  return measured
    .filter((one) => one.system === system)
    .map(({ round }) => valueOf(system, title, round) / valueOf(against, as, round))
    .filter((ratio) => Number.isFinite(ratio))
}

interface Pair {
  readonly system: string
  readonly against: string
  readonly as?: string | undefined
}
