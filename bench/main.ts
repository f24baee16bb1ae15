/** `npm run bench`: measures Errand against the limits and, with `--peers`, against other systems; bench/README.md has the options. */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { choose } from './choice.js'
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

const figures = allFigures.filter(({ name, isLong }) => given.figures?.split(',').includes(name) ?? isLong !== true)
const sizes = { count: Number(given.count), calls: Number(given.calls), backlog: Number(given.backlog) }
const servers = new Servers()
try {
  const { systems, leftOut } = await choose(askedSystems(), servers)
  sayAll(leftOut)
  if (systems.length === 0) {
    console.error('Nothing was measured: every system that was asked for was left out.')
    process.exitCode = 1
  } else {
    process.exitCode = (await report(systems)) ? 0 : 1
    // once more: the lines above scrolled away in the meantime, and the report does not have these systems
    sayAll(leftOut)
  }
} finally {
  await servers.close()
}

function askedSystems(): readonly System[] {
  if (given.systems !== undefined) return given.systems.split(',').map(findSystem)
  return given.peers ? allSystems : ownSystems
}

/** Measures, and prints what came out; resolves to whether no figure failed. */
async function report(systems: readonly System[]): Promise<boolean> {
  const patienceMs = Number(given.patience) * 1000
  const measured = await measureAll({ systems, figures, sizes, rounds: Number(given.rounds), servers, patienceMs, say: (line) => console.error(line) })
  const versions = [...libraries(), ...servers.versions(), ...packagesOf(systems)]
  const command = ['npm run bench --', ...process.argv.slice(2)].join(' ')
  const text = reportOf({ systems, measured, machine: machine(), versions, command })
  console.log(text)
  if (given.save) writeFileSync(RESULTS, `# Results\n\n${ABOUT}\n\n${text}`)
  return measured.every(({ failures }) => failures.length === 0)
}

function sayAll(lines: readonly string[]): void {
  for (const line of lines) console.error(line)
}

function packagesOf(chosen: readonly System[]): readonly string[] {
  return peerVersions([...new Set(chosen.flatMap(({ packages = [] }) => packages))])
}
