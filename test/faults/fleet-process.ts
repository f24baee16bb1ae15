import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import type { ConfigInput } from 'errand'
import type { DispatchOrder, ServerNews, ServerOrder, Usage, WorkerNews } from './processes/orders.js'

/** A stop within the grace period of the suite's configuration, and then some for a loaded machine. */
const STOP_MS = 30_000

/** As a process manager does. */
const RESPAWN_MS = 100

export interface FleetOptions {
  /** Where the processes write. */
  readonly folder: string
  readonly config: ConfigInput
  /** Says which process ended by itself, and how. */
  readonly onDeath: (text: string) => void
}

/** A server that dispatches. Its death, unless asked for, is a failure of the row. */
export class ServerProcess implements AsyncDisposable {
  readonly ready: Promise<void>
  /** The most memory it had, in MB. */
  mostMb = 0
  /** What it has in use. */
  usage: Usage = { rssMb: 0, resources: 0, kinds: {} }
  readonly #child: ChildProcess
  readonly #batches = new Map<number, () => void>()
  readonly #gone: Promise<void>
  #isEnding = false

  constructor(config: ConfigInput, options: FleetOptions) {
    this.#child = forked('server', config, options.folder)
    this.#gone = once(this.#child, 'exit').then(([code, signal]: unknown[]) => {
      if (!this.#isEnding) options.onDeath(`server ${this.pid} ended by itself (${String(code ?? signal)})`)
      for (const settle of this.#batches.values()) settle()
    })
    this.ready = new Promise((resolve, reject) => {
      this.#child.on('message', (news: ServerNews) => {
        if (news.is === 'ready') resolve()
        if (news.is === 'dispatched') this.#batches.get(news.batch)?.()
        if (news.is !== 'usage') return
        this.usage = news
        this.mostMb = Math.max(this.mostMb, news.rssMb)
      })
      void this.#gone.then(() => reject(new Error('a server ended before it was ready')))
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Resolves when the calls are settled, or the server is gone. */
  dispatch(order: DispatchOrder): Promise<void> {
    this.#tell(order)
    return new Promise((resolve) => this.#batches.set(order.batch, resolve))
  }

  /** Ends a batch before its last call. */
  enough(batch: number): void {
    this.#tell({ do: 'enough', batch })
  }

  async kill9(): Promise<void> {
    this.#isEnding = true
    this.#child.kill('SIGKILL')
    await this.#gone
  }

  /** Answers what was wrong with its end. */
  async stop(): Promise<string | undefined> {
    if (this.#isOver) return undefined
    this.#isEnding = true
    this.#tell({ do: 'stop' })
    if (!(await endedIn(this.#gone))) return `server ${this.pid} did not stop within ${STOP_MS} ms`
    return this.#child.exitCode === 0 ? undefined : `server ${this.pid} ended with ${this.#child.exitCode ?? this.#child.signalCode}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOver) await this.kill9()
  }

  get #isOver(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  #tell(order: ServerOrder): void {
    // one that is gone was told of already
    if (this.#child.connected) this.#child.send(order, () => {})
  }
}

/** A worker that is started again whenever its process ends. */
export class WorkerProcess implements AsyncDisposable {
  /** How often its process ended, by whatever cause. */
  deaths = 0
  /** The most memory that one of its processes had, in MB. */
  mostMb = 0
  /** What its process has in use. */
  usage: Usage = { rssMb: 0, resources: 0, kinds: {} }
  readonly #config: ConfigInput
  readonly #options: FleetOptions
  #child: ChildProcess | undefined
  #isConsuming = false
  #isEnding = false
  #isAsked = false
  #timer: NodeJS.Timeout | undefined
  #waiting: (() => void)[] = []
  #gone: Promise<void> = Promise.resolve()

  constructor(config: ConfigInput, options: FleetOptions) {
    this.#config = config
    this.#options = options
    this.#start()
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  get isConsuming(): boolean {
    return this.#isConsuming
  }

  /** Resolves when its present or next process consumes. */
  consuming(): Promise<void> {
    return this.#isConsuming ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Sends a signal that ends its process; resolves when that is gone. Another one is started then. Answers how it ended. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | string | null> {
    const child = this.#child
    if (child === undefined) return null
    this.#isAsked = true
    this.#isConsuming = false
    const gone = this.#gone
    child.kill(signal)
    await gone
    return child.exitCode ?? child.signalCode
  }

  freeze(): void {
    this.#child?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child?.kill('SIGCONT')
  }

  /** Ends it for good. Answers what was wrong with its end. */
  async stop(): Promise<string | undefined> {
    this.#isEnding = true
    clearTimeout(this.#timer)
    const child = this.#child
    if (child === undefined) return undefined
    // before that it has no handler for the signal
    await endedIn(this.consuming())
    child.kill('SIGTERM')
    if (!(await endedIn(this.#gone))) return `worker ${child.pid ?? 0} did not stop within ${STOP_MS} ms`
    return child.exitCode === 0 ? undefined : `worker ${child.pid ?? 0} ended with ${child.exitCode ?? child.signalCode}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true
    clearTimeout(this.#timer)
    this.#child?.kill('SIGKILL')
    await this.#gone
  }

  #start(): void {
    const child = forked('worker', this.#config, this.#options.folder)
    this.#child = child
    this.#isAsked = false
    child.on('message', (news: WorkerNews) => {
      if (news.is === 'usage') {
        this.usage = news
        this.mostMb = Math.max(this.mostMb, news.rssMb)
      }
      if (news.is !== 'consuming' || this.#isAsked) return
      this.#isConsuming = true
      for (const resolve of this.#waiting.splice(0)) resolve()
    })
    this.#gone = once(child, 'exit').then(([code, signal]: unknown[]) => {
      if (!this.#isEnding && !this.#isAsked) this.#options.onDeath(`worker ${child.pid ?? 0} ended by itself (${String(code ?? signal)})`)
      this.#child = undefined
      this.#isConsuming = false
      this.deaths += 1
      if (!this.#isEnding) this.#timer = setTimeout(() => this.#start(), RESPAWN_MS)
    })
  }
}

function forked(name: 'server' | 'worker', config: ConfigInput, folder: string): ChildProcess {
  const log = openSync(join(folder, `${name}.log`), 'a')
  try {
    return fork(new URL(`processes/${name}.js`, import.meta.url), [JSON.stringify(config)], {
      execArgv: ['--enable-source-maps'],
      stdio: ['ignore', log, log, 'ipc'],
      env: {
        ...process.env,
        ERRAND_FAULT_CALLS: join(folder, 'calls'),
        ERRAND_FAULT_EFFECTS: join(folder, 'effects'),
        ERRAND_FAULT_DIE_AT: join(folder, 'die-at'),
      },
    })
  } finally {
    closeSync(log)
  }
}

async function endedIn(gone: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), STOP_MS)))
  const isGone = await Promise.race([gone.then(() => true), late])
  clearTimeout(timer)
  return isGone
}
