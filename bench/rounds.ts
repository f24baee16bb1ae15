import { Bench, type Figure, type Sizes, type Values } from './figures/figure.js'
import { load, meterOthers } from './machine.js'
import type { Servers } from './servers.js'
import type { System } from './system.js'

/** What one system gave in one round. */
export interface Measured {
  readonly system: string
  readonly round: number
  readonly values: Values
  /** Part of the machine that others used meanwhile, 0 to 1. */
  readonly others: number
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
}

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

async function measureOne(system: System, round: number, { figures, sizes, servers }: Plan): Promise<Measured> {
  const others = meterOthers()
  const failures: string[] = []
  let values: Values = {}
  for (const figure of figures) {
    try {
      values = { ...values, ...(await Bench.run({ system, sizes, servers }, (bench) => figure.measure(bench))) }
    } catch (error) {
      failures.push(`${system.name}, ${figure.name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return { system: system.name, round, values, others: others(), load: load(), failures }
}
