// Runs the fault matrix; scripts/faults.mjs compiles and starts this. Options: --long, --row F9 (again and again), --seed n,
// --brief (what continuous integration repeats), --verbose, and --version name=bin[:root] for each RabbitMQ besides the installed one.
import { randomInt } from 'node:crypto'
import { readdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { networkRefusal } from '../kit/network.js'
import { installedScripts, isRabbitInstalled, installedVersion } from '../kit/rabbitmq.js'
import { diskRefusal } from './small-disk.js'
import type { Row } from './row.js'
import { runRow, type RowResult, type Version } from './run-row.js'
import { lineOf, machine, markdownTable } from './table.js'

const FOLDER = fileURLToPath(new URL('../../../.cache/faults/', import.meta.url))
const say = (line: string): void => void process.stdout.write(`${line}\n`)

const { values } = parseArgs({
  options: {
    long: { type: 'boolean', default: false },
    brief: { type: 'boolean', default: false },
    verbose: { type: 'boolean', default: false },
    row: { type: 'string', multiple: true, default: [] },
    seed: { type: 'string' },
    version: { type: 'string', multiple: true, default: [] },
  },
})

const seed = values.seed === undefined ? randomInt(1, 1_000_000) : Number(values.seed)
const inCi = !['', '0', 'false'].includes(process.env['CI'] ?? '')
const rows = await chosenRows(values.row)
const versions = foundVersions()
const refusal = networkRefusal()
const results: RowResult[] = []
let skipped = 0

say(`${rows.length} rows, ${values.long ? 'long' : 'short'} form, seed ${seed}, ${versions.map(({ name }) => `RabbitMQ ${name}`).join(', ') || 'no RabbitMQ'}`)
for (const row of rows) {
  const targets = row.needs === 'nothing' ? [undefined] : versions
  const why = missing(row)
  if (why !== undefined) {
    skipped += 1
    say(`left out: ${row.id} ${row.title}: ${why}`)
    continue
  }
  for (const version of targets) await run(row, version)
}

const failed = results.filter(({ failures }) => failures.length > 0).length + (inCi ? skipped : 0)
const passed = results.length + (inCi ? skipped : 0) - failed
say(`\n${markdownTable(results)}\n`)
say(`${machine()}; RabbitMQ ${versions.map(({ name }) => name).join(', ')}; npm run test:faults -- --seed ${seed}${values.long ? ' --long' : ''}`)
say(`${passed} passed, ${failed} failed${skipped > 0 && !inCi ? `, ${skipped} skipped` : ''}`)
const totalsFile = process.env['ERRAND_TOTALS_FILE']
if (totalsFile !== undefined) writeFileSync(totalsFile, JSON.stringify({ passed, failed, skipped: inCi ? 0 : skipped, failures: failuresOf(results) }))
process.exitCode = failed === 0 ? 0 : 1

function failuresOf(rows: typeof results): string[] {
  return rows.filter(({ failures }) => failures.length > 0).map((row) => `row ${row.row.id}: ${row.failures.join('; ')} (--seed ${seed})`)
}

async function run(row: Row, version: Version | undefined): Promise<void> {
  say(`\n${row.id} ${row.title}${version === undefined ? '' : ` (RabbitMQ ${version.name})`}`)
  const quiet = (): void => {}
  const result = await runRow(row, { folder: FOLDER, seed, isLong: values.long, version, say: values.verbose ? say : quiet })
  results.push(result)
  say(lineOf(result))
  if (result.failures.length > 0) say(`  logs, journals and schedule: ${join(FOLDER, `${row.id}-${result.version}`)}; repeat with --row ${row.id} --seed ${seed}`)
}

function missing(row: Row): string | undefined {
  if (row.needsDisk === true && diskRefusal() !== undefined) return diskRefusal()
  if (row.needs === 'nothing') return undefined
  if (versions.length === 0) return 'there is no installed RabbitMQ server'
  return row.needs === 'partitions' ? refusal : undefined
}

async function chosenRows(wanted: readonly string[]): Promise<readonly Row[]> {
  const folder = new URL('rows/', import.meta.url)
  const files = readdirSync(folder).filter((name) => name.endsWith('.js'))
  const all: Row[] = []
  for (const name of files.sort()) {
    // every module in that folder exports this
    const { row } = (await import(pathToFileURL(join(fileURLToPath(folder), name)).href)) as { readonly row: Row }
    all.push(row)
  }
  const ids = new Set(wanted.map((id) => id.toLowerCase()))
  const isUsual = ({ isOnlyLong = false, isBrief = false }: Row): boolean => (values.brief ? isBrief : values.long || !isOnlyLong)
  const chosen = all.filter((row) => (ids.size === 0 ? isUsual(row) : ids.has(row.id.toLowerCase())))
  if (chosen.length === 0) throw new Error(`no such row; there are: ${all.map(({ id }) => id).join(', ')}`)
  return chosen
}

function foundVersions(): readonly Version[] {
  const installed = isRabbitInstalled ? [{ name: installedVersion ?? 'installed', scripts: installedScripts() }] : []
  const others = values.version.map((given) => {
    const [name = '', place = ''] = given.split('=')
    const [bin = '', root] = place.split(':')
    return { name, scripts: { bin, root } }
  })
  return [...installed, ...others]
}
