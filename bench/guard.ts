/**
 * `npm test -- --guard`: whether Errand became slower by a factor. It is compared with the limit of the same round, and one good round
 * is enough: a busy machine slows both down, and only what is slow in every round has a defect.
 */
import { writeFileSync } from 'node:fs'
import type { Figure } from './figures/figure.js'
import { IN_FLIGHT, rate, Run } from './figures/rates.js'
import { bestOf, FLOORS, type Floor } from './floors.js'
import { machine } from './machine.js'
import { ratiosOf } from './ratios.js'
import { measureAll } from './rounds.js'
import { Servers } from './servers.js'
import { findSystem } from './systems/index.js'

/** Half a second and more even for the limits: what another program does for a moment decides nothing. */
const COUNT = 20_000
const TITLE = 'end to end, tasks/s'
const CPU_TITLE = 'end to end, CPU s, sum'

const figure: Figure = {
  name: 'guard',
  measure: async (bench) => {
    const run = await Run.open(bench)
    const { tookMs, cpuSeconds } = await run.measure(COUNT, IN_FLIGHT)
    return { [TITLE]: rate(COUNT, tookMs), [CPU_TITLE]: cpuSeconds.caller + cpuSeconds.worker + cpuSeconds.server }
  },
}

const totals: { passed: number; failed: number; skipped: number; failures: string[] } = { passed: 0, failed: 0, skipped: 0, failures: [] }
console.log(machine())
for (const floor of FLOORS) await guard(floor)
const file = process.env['ERRAND_TOTALS_FILE']
if (file !== undefined) writeFileSync(file, JSON.stringify(totals))
console.log(`${totals.passed} passed, ${totals.failed} failed${totals.skipped > 0 ? `, ${totals.skipped} skipped` : ''}`)
process.exitCode = totals.failed === 0 ? 0 : 1

async function guard(floor: Floor): Promise<void> {
  const { system, against, atLeast } = floor
  const systems = [findSystem(against), findSystem(system)]
  const servers = new Servers()
  try {
    await servers.open(systems)
  } catch (error) {
    return withoutServer(system, error)
  }
  try {
    const { best, isEnough } = await bestOf(floor, async (round) => {
      const plan = { systems, figures: [figure], sizes: { count: COUNT, calls: 0, backlog: 0 }, rounds: 1, servers, say: () => {} }
      const measured = await measureAll(plan)
      for (const failure of measured.flatMap(({ failures }) => failures)) console.log(failure)
      const [rates = [], cpu] = [TITLE, CPU_TITLE].map((title) => ratiosOf(title, measured, { system, against }))
      for (const ratio of rates) console.log(`round ${round}: ${system}: ${ratio.toFixed(3)} x ${against}, with ${cpu?.[0]?.toFixed(1)} x its CPU`)
      return rates
    })
    const said = `${system}: ${best.toFixed(2)} x ${against} end to end, where ${atLeast} is the least`
    console.log(said)
    if (isEnough) totals.passed += 1
    else fail(said)
  } finally {
    await servers.close()
  }
}

function withoutServer(system: string, error: unknown): void {
  const said = `${system}: ${error instanceof Error ? error.message : String(error)}`
  if ((process.env['CI'] ?? '') !== '') return fail(said)
  console.log(`left out: ${said}`)
  totals.skipped += 1
}

function fail(said: string): void {
  totals.failed += 1
  totals.failures.push(said)
}
