/** `npm run bench`: measures Errand against the limits and, with `--peers`, against other systems; bench/README.md has the options. */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { figures as allFigures } from './figures/index.js'
import { libraries, machine } from './machine.js'
import { reportOf } from './report.js'
import { measureAll } from './rounds.js'
import { Servers } from './servers.js'
import { allSystems, findSystem, ownSystems } from './systems/index.js'
import { peerVersions } from './systems/peers/load-peer.js'
import type { System } from './system.js'

const RESULTS = fileURLToPath(new URL('../../bench/RESULTS.md', import.meta.url))

const ABOUT = 'Written by the command below; [README.md](README.md) says how it measures, and what each value means.'

const { values: given } = parseArgs({
  options: {
    peers: { type: 'boolean', default: false },
    systems: { type: 'string' },
    figures: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    count: { type: 'string', default: '20000' },
    calls: { type: 'string', default: '500' },
    backlog: { type: 'string', default: '1000000' },
    patience: { type: 'string', default: '10' },
    save: { type: 'boolean', default: false },
  },
})

const systems: System[] = []
const figures = allFigures.filter(({ name, isLong }) => given.figures?.split(',').includes(name) ?? isLong !== true)
const sizes = { count: Number(given.count), calls: Number(given.calls), backlog: Number(given.backlog) }
const servers = new Servers()
try {
  for (const system of chosenSystems().filter(isPossible)) if (await hasServer(system)) systems.push(system)
  const patienceMs = Number(given.patience) * 1000
  const measured = await measureAll({ systems, figures, sizes, rounds: Number(given.rounds), servers, patienceMs, say: (line) => console.error(line) })
  const versions = [...libraries(), ...servers.versions(), ...packagesOf(systems)]
  const command = ['npm run bench --', ...process.argv.slice(2)].join(' ')
  const report = reportOf({ systems, measured, machine: machine(), versions, command })
  console.log(report)
  if (given.save) writeFileSync(RESULTS, `# Results\n\n${ABOUT}\n\n${report}`)
  process.exitCode = measured.some(({ failures }) => failures.length > 0) ? 1 : 0
} finally {
  await servers.close()
}

function chosenSystems(): readonly System[] {
  if (given.systems !== undefined) return given.systems.split(',').map(findSystem)
  return given.peers ? allSystems : ownSystems
}

function isPossible(system: System): boolean {
  const refusal = system.refusal?.()
  if (refusal !== undefined) console.error(`left out: ${system.name}: ${refusal}`)
  return refusal === undefined
}

/** A peer whose server is not there is left out; a limit or Errand is not. */
async function hasServer(system: System): Promise<boolean> {
  try {
    await servers.open([system])
    return true
  } catch (error) {
    if (system.packages === undefined) throw error
    console.error(`left out: ${system.name}: ${error instanceof Error ? error.message : String(error)}`)
    return false
  }
}

function packagesOf(chosen: readonly System[]): readonly string[] {
  return peerVersions([...new Set(chosen.flatMap(({ packages = [] }) => packages))])
}
