import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startRabbitCluster } from '../kit/rabbit-cluster.js'
import { startRabbitNode } from '../kit/rabbit-node.js'
import type { RabbitScripts } from '../kit/rabbit-server.js'
import { Scope } from '../kit/temporary.js'
import { openBroker } from '#src/compose/broker.js'
import { silentLogger } from '#src/core/logger.js'
import { loadConfig } from '#config/load.js'
import type { Counts } from './counts.js'
import { Fleet } from './fleet.js'
import { Random } from './random.js'
import { pause, type Row, type RowContext } from './row.js'

/** A row that hangs would hang the whole suite. */
const LONGEST_MS = { short: 5 * 60_000, long: 70 * 60_000 }

/** How long after its end the processes of a row may still be there. */
const LEAVE_MS = 15_000

/** RabbitMQ, where a version of it was found. */
export interface Version {
  readonly name: string
  readonly scripts: RabbitScripts
}

export interface RowResult {
  readonly row: Row
  readonly version: string
  readonly counts: Counts | undefined
  readonly notes: readonly string[]
  /** Empty when the row passed. */
  readonly failures: readonly string[]
  readonly tookMs: number
}

export interface RunOptions {
  /** What is left on failure lies here. */
  readonly folder: string
  readonly seed: number
  readonly isLong: boolean
  readonly version: Version | undefined
  readonly say: (line: string) => void
}

/** Runs one row, closes what it opened, and holds it against the criteria of all rows. */
export async function runRow(row: Row, options: RunOptions): Promise<RowResult> {
  const run = new RowRun(row, options)
  const began = Date.now()
  const counts = await run.result()
  return { row, version: run.version, counts, notes: run.notes, failures: run.failures, tookMs: Date.now() - began }
}

class RowRun implements RowContext {
  readonly scope = new Scope()
  readonly folder: string
  readonly random: Random
  readonly isLong: boolean
  readonly isRecent: boolean
  readonly version: string
  readonly notes: string[] = []
  readonly failures: string[] = []
  readonly #row: Row
  readonly #options: RunOptions
  readonly #fleets: Fleet[] = []
  readonly #schedule: string[] = []
  readonly #began = Date.now()
  readonly #mark: string

  constructor(row: Row, options: RunOptions) {
    this.#row = row
    this.#options = options
    this.isLong = options.isLong
    this.version = row.needs === 'nothing' ? 'embedded' : (options.version?.name ?? '')
    this.isRecent = this.version.startsWith('4')
    this.random = new Random(options.seed)
    this.folder = join(options.folder, `${row.id}-${this.version}`)
    this.#mark = `${row.id}-${process.pid}-${options.seed}`
    rmSync(this.folder, { recursive: true, force: true })
    mkdirSync(this.folder, { recursive: true })
  }

  async result(): Promise<Counts | undefined> {
    process.env['ERRAND_FAULT_RUN'] = this.#mark
    let counts: Counts | undefined
    try {
      counts = await this.#bounded()
      await this.#judge(counts)
    } catch (error) {
      this.failures.push(error instanceof Error ? error.message : String(error))
      this.#say(error instanceof Error ? (error.stack ?? error.message) : String(error))
    }
    await this.scope.close().catch((error: unknown) => this.failures.push(`closing: ${String(error)}`))
    await this.#findLeftovers()
    if (this.failures.length === 0) rmSync(this.folder, { recursive: true, force: true })
    else writeFileSync(join(this.folder, 'schedule'), `seed ${this.#options.seed}\n${this.#schedule.join('\n')}\n${this.failures.join('\n')}\n`)
    return counts
  }

  size<T>(short: T, long: T): T {
    return this.isLong ? long : short
  }

  step(text: string): void {
    const line = `${((Date.now() - this.#began) / 1000).toFixed(1).padStart(6)} s  ${text}`
    this.#schedule.push(line)
    this.#say(line)
  }

  note(text: string): void {
    this.notes.push(text)
  }

  expect(isMet: boolean, text: string): void {
    if (!isMet) this.failures.push(`not so: ${text}`)
  }

  async node(advanced?: string): ReturnType<RowContext['node']> {
    return this.scope.use(await startRabbitNode(this.#scripts(), advanced === undefined ? {} : { advanced }))
  }

  async cluster(options: Parameters<RowContext['cluster']>[0] = {}): ReturnType<RowContext['cluster']> {
    return this.scope.use(await startRabbitCluster({ ...options, scripts: this.#scripts(), isRecent: this.isRecent }))
  }

  fleet(config: Parameters<RowContext['fleet']>[0]): Fleet {
    const folder = join(this.folder, `fleet${this.#fleets.length + 1}`)
    mkdirSync(folder)
    const fleet = new Fleet({ folder, config, onDeath: (text) => this.failures.push(text) })
    this.#fleets.push(fleet)
    return this.scope.use(fleet)
  }

  async #bounded(): Promise<Counts> {
    const limitMs = this.size(LONGEST_MS.short, LONGEST_MS.long)
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(new Error(`the row did not end within ${limitMs} ms`)), limitMs)))
    return Promise.race([this.#row.run(this), late]).finally(() => clearTimeout(timer))
  }

  /** What holds for every row. */
  async #judge({ lost, unexpected }: Counts): Promise<void> {
    this.expect(lost === 0, `nothing is lost (${lost} are)`)
    this.expect(unexpected === 0, `nothing runs that was not called (${unexpected} did)`)
    for (const fleet of this.#fleets) {
      const untyped = fleet.calls().filter(({ kind, detail }) => kind === 'refused' && detail === 'UNTYPED')
      this.expect(untyped.length === 0, `every refusal has a code (${untyped.length} have none)`)
      this.failures.push(...(await fleet.stop()))
    }
  }

  /** A process that outlives its row was left behind by the library, or by the row. */
  async #findLeftovers(): Promise<void> {
    const deadline = Date.now() + LEAVE_MS
    // guards of servers end a moment after them
    while (markedProcesses(this.#mark).length > 0 && Date.now() < deadline) await pause(50)
    for (const { pid, command } of markedProcesses(this.#mark)) {
      this.failures.push(`process ${pid} was left behind: ${command}`)
      process.kill(pid, 'SIGKILL')
    }
  }

  #scripts(): RabbitScripts {
    const { version } = this.#options
    if (version === undefined) throw new Error('this row needs a RabbitMQ server')
    return version.scripts
  }

  #say(line: string): void {
    this.#options.say(line)
  }
}

/** How many dead letters lie behind the queue of an application. */
export async function deadLetters(fleet: Fleet, queue = 'default'): Promise<number> {
  const { worker: _worker, ...overrides } = fleet.config
  const broker = await openBroker(await loadConfig({ overrides }), silentLogger)
  try {
    return (await broker.count(queue)).dead
  } finally {
    await broker.close()
  }
}

function markedProcesses(mark: string): readonly { pid: number; command: string }[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc').flatMap((name) => {
    const pid = Number(name)
    if (!Number.isInteger(pid) || pid === process.pid) return []
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`ERRAND_FAULT_RUN=${mark}\0`)) return []
      return [{ pid, command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').slice(0, 120) }]
    } catch {
      return [] // it has ended, or is not ours
    }
  })
}
