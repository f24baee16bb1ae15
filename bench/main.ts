/** `npm run bench`: measures Errand against the limits and, with `--peers`, against other systems; bench/README.md has the options. */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { choose } from './choice.js'
import { libraries, machine } from './machine.js'
import { otherNodeOf } from './newer-node.js'
import { optionsOf, reportPlaceOf, type Options } from './options.js'
import { reportOf } from './report.js'
import { measureAll } from './rounds.js'
import { Servers } from './servers.js'
import { peerVersions } from './systems/peers/load-peer.js'
import type { System } from './system.js'

const FOLDER = fileURLToPath(new URL('../../bench/', import.meta.url))

const ABOUT = 'Written by the command below; [README.md](README.md) says how it measures, and what each value means.'

const options = understood(process.argv.slice(2))
process.exitCode = options !== undefined && (await run(options)) ? 0 : 1

/** What was asked for; says why not where that cannot be meant. */
function understood(args: readonly string[]): Options | undefined {
  try {
    return optionsOf(args)
  } catch (error) {
    console.error((error instanceof Error ? error.message : String(error)).replaceAll('\n', ' '))
    return undefined
  }
}

/** Resolves to whether something was measured and nothing failed. */
async function run(options: Options): Promise<boolean> {
  const servers = new Servers()
  try {
    const { systems, leftOut } = await choose(options.systems, servers)
    sayAll(leftOut)
    if (systems.length === 0) {
      console.error('Nothing was measured: every system that was asked for was left out.')
      return false
    }
    const isWhole = await report(systems, options, servers)
    // once more: the lines above scrolled away in the meantime, and the report does not have these systems
    sayAll(leftOut)
    return isWhole
  } finally {
    await servers.close()
  }
}

/** Measures, and prints what came out; resolves to whether something did and no figure failed. */
async function report(systems: readonly System[], options: Options, servers: Servers): Promise<boolean> {
  const measured = await measureAll({ ...options, systems, servers, say: (line) => console.error(line) })
  const isNothing = measured.every(({ values, failures }) => Object.keys(values).length + failures.length === 0)
  if (isNothing) {
    console.error('Nothing was measured: none of the systems has any of the figures that were asked for.')
    return false
  }
  const versions = [...libraries(), ...servers.versions(), ...packagesOf(systems), ...systems.flatMap((system) => otherNodeOf(system))]
  const command = ['npm run bench --', ...process.argv.slice(2)].join(' ')
  const text = reportOf({ systems, measured, machine: machine(), versions, command })
  console.log(text)
  if (options.isSaved) save(text, options)
  return measured.every(({ failures }) => failures.length === 0)
}

function save(text: string, options: Options): void {
  const { file, title } = reportPlaceOf(options)
  writeFileSync(`${FOLDER}${file}`, `# ${title}\n\n${ABOUT}\n\n${text}`)
}

function sayAll(lines: readonly string[]): void {
  for (const line of lines) console.error(line)
}

function packagesOf(chosen: readonly System[]): readonly string[] {
  return peerVersions([...new Set(chosen.flatMap(({ packages = [] }) => packages))])
}
