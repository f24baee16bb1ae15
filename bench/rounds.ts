import { DISTURBED, untilCalm } from './calm.js'
import { Bench, type Figure, type Sizes, type Values } from './figures/figure.js'
import { load, meterOthers } from './machine.js'
import type { Servers } from './servers.js'
import type { System } from './system.js'

/** What one system gave in one round. */
export interface Measured {
  readonly system: string
  readonly round: number
  readonly values: Values
  /** Part of the machine that others used while each figure was measured, 0 to 1. */
  readonly others: readonly number[]
  readonly load: number
  /** Figures that failed, with the reason. */
  readonly failures: readonly string[]
}

export interface Plan {
  readonly systems: readonly System[]
  readonly figures: readonly Figure[]
  readonly sizes: Sizes
  readonly rounds: number
  readonly servers: Servers
  readonly say: (line: string) => void
  /** Milliseconds to wait for a calm moment, at most; 0: every figure is measured once, whatever others do. @defaultValue 0 */
  readonly patienceMs?: number
}

/** Measurements of one figure, at most, until one was not disturbed. */
const ATTEMPTS = 3

/** Measures in turns: every round begins with another system, so that what changes on the machine meets all of them. */
export async function measureAll(plan: Plan): Promise<readonly Measured[]> {
  const { systems, rounds, say } = plan
  const all: Measured[] = []
  for (let round = 0; round < rounds; round++) {
    const first = round % systems.length
    for (const system of [...systems.slice(first), ...systems.slice(0, first)]) {
      say(`round ${round + 1} of ${rounds}: ${system.name}`)
      const measured = await measureOne(system, round, plan)
      for (const failure of measured.failures) say(`  failed: ${failure}`)
      all.push(measured)
    }
  }
  return all
}

async function measureOne(system: System, round: number, plan: Plan): Promise<Measured> {
  const failures: string[] = []
  const others: number[] = []
  let values: Values = {}
  for (const figure of plan.figures) {
    try {
      const quietest = await measureInCalm(system, figure, plan)
      values = { ...values, ...quietest.values }
      others.push(quietest.others)
    } catch (error) {
      failures.push(`${system.name}, ${figure.name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return { system: system.name, round, values, others, load: load(), failures }
}

interface Attempt {
  readonly values: Values
  readonly others: number
}

/** The first attempt that others left alone, or the quietest. Long figures are measured once. */
async function measureInCalm(system: System, figure: Figure, plan: Plan): Promise<Attempt> {
  const { sizes, servers, say, patienceMs = 0 } = plan
  const most = patienceMs === 0 || figure.isLong === true ? 1 : ATTEMPTS
  const attempts: Attempt[] = []
  while (attempts.length < most && attempts.every(({ others }) => others > DISTURBED)) {
    await untilCalm(patienceMs)
    const others = meterOthers()
    const values = await Bench.measure(figure, { system, sizes, servers })
    const attempt = { values, others: others() }
    attempts.push(attempt)
    if (attempt.others > DISTURBED) say(`  ${figure.name}: others used ${Math.round(attempt.others * 100)} % of the machine`)
  }
  return attempts.reduce((quietest, attempt) => (attempt.others < quietest.others ? attempt : quietest))
}
