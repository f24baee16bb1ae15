import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const TICKS_A_SECOND = 100
const PAGE_MB = 4096 / 2 ** 20

/** What the figures were measured on. */
export function machine(): string {
  const all = cpus()
  return `${all.length} x ${all[0]?.model.trim() ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GB, ${process.platform} ${release()}, Node ${process.version}`
}

/** The versions of the libraries under the limits and Errand, and of Errand. */
export function libraries(): readonly string[] {
  const versionIn = (folder: string): string => {
    // every package.json has one
    const { name, version } = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')) as { name: string; version: string }
    return `${name} ${version}`
  }
  const commit = readOr(() => execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim(), 'no commit')
  return [`${versionIn('.')} (${commit})`, versionIn('node_modules/amqplib'), versionIn('node_modules/better-sqlite3')]
}

/** Load average of the last minute. */
export const load = (): number => loadavg()[0] ?? 0

/** CPU seconds and resident megabytes of a process and all its descendants, also of those that have ended. */
export interface TreeUse {
  readonly cpuSeconds: number
  readonly memoryMb: number
}

/** What a process and its descendants have used; nothing where the system has no /proc. */
export function treeUse(root: number): TreeUse {
  const all = processes()
  const isInside = (process: Process | undefined): boolean =>
    process !== undefined && (process.pid === root || isInside(all.get(process.parent)))
  const inside = [...all.values()].filter(isInside)
  const sum = (value: (process: Process) => number): number => inside.reduce((total, process) => total + value(process), 0)
  return { cpuSeconds: sum(({ ticks }) => ticks) / TICKS_A_SECOND, memoryMb: sum(({ pages }) => pages) * PAGE_MB }
}

/** Says at the end of a measurement which part of the machine others used meanwhile, from 0 to 1. */
export function meterOthers(): () => number {
  const before = { total: machineTicks(), own: treeUse(process.pid).cpuSeconds }
  return () => {
    const after = machineTicks()
    const own = (treeUse(process.pid).cpuSeconds - before.own) * TICKS_A_SECOND
    const all = after.all - before.total.all
    return all === 0 ? 0 : Math.max(0, (after.busy - before.total.busy - own) / all)
  }
}

interface Process {
  readonly pid: number
  readonly parent: number
  readonly ticks: number
  readonly pages: number
}

function processes(): ReadonlyMap<number, Process> {
  const all = new Map<number, Process>()
  for (const name of readOr(() => readdirSync('/proc'), [])) {
    if (!/^\d+$/.test(name)) continue
    const stat = readOr(() => readFileSync(`/proc/${name}/stat`, 'utf8'), '')
    // the name of the program stands in brackets, and may hold anything; utime is the 12th field after it, rss the 22nd
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ').map(Number)
    if (fields.length < 22) continue
    const ticks = [11, 12, 13, 14].reduce((total, at) => total + (fields[at] ?? 0), 0)
    all.set(Number(name), { pid: Number(name), parent: fields[1] ?? 0, ticks, pages: fields[21] ?? 0 })
  }
  return all
}

function machineTicks(): { readonly busy: number; readonly all: number } {
  const line = readOr(() => readFileSync('/proc/stat', 'utf8'), 'cpu').split('\n')[0] ?? ''
  // user nice system idle iowait irq softirq steal
  const fields = line.split(/\s+/).slice(1, 9).map(Number)
  const all = fields.reduce((total, ticks) => total + ticks, 0)
  return { all, busy: all - (fields[3] ?? 0) - (fields[4] ?? 0) }
}

function readOr<T>(read: () => T, otherwise: T): T {
  try {
    return read()
  } catch {
    return otherwise
  }
}
