import type { Measured } from '../../bench/rounds.js'

/** What the bench keeps of a calm round in which `system` gave `values`. */
export const inRound = (round: number, system: string, values: Measured['values']): Measured => ({ system, round, values, others: [0], load: 0, failures: [] })

/** One value of `system` in rounds that follow each other. */
export const inRounds = (system: string, title: string, values: readonly number[]): readonly Measured[] =>
  values.map((value, round) => inRound(round, system, { [title]: value }))
