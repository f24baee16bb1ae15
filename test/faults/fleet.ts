import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ConfigInput } from 'errand'
import { until } from '../kit/until.js'
import { countUp, Journal, type Call, type Counts, type Run } from './counts.js'
import { ServerProcess, WorkerProcess, type FleetOptions } from './fleet-process.js'
import type { Step } from './processes/deaths.js'
import type { DispatchOrder } from './processes/orders.js'

/** Without a single task more in so long, what is missing counts as lost. */
const STILL_MS = 60_000

/** More than any row takes. */
const ENDLESS = 1_000_000_000

/** RabbitMQ 3.10 can forget a queue whose node is killed within a second of its declaration; see docs/operating.md. */
const SETTLED_MS = 4000

export type Batch = Partial<Omit<DispatchOrder, 'do' | 'batch'>> & Pick<DispatchOrder, 'count'>

/** Server and worker processes of one application, and what they wrote down. */
export class Fleet implements AsyncDisposable {
  readonly workers: WorkerProcess[] = []
  readonly servers: ServerProcess[] = []
  readonly config: ConfigInput
  /** Its tasks may end workers: that is no failure of the row. */
  mayLoseWorkers = false
  readonly #options: FleetOptions
  readonly #calls: Journal
  readonly #effects: Journal
  #batches = 0

  constructor(options: FleetOptions) {
    this.#options = options
    this.#calls = new Journal(join(options.folder, 'calls'))
    this.#effects = new Journal(join(options.folder, 'effects'))
    this.config = {
      withAsync: true,
      service: 'faults',
      environment: 'test',
      dataDir: join(options.folder, 'data'),
      services: fileURLToPath(new URL('processes/tasks.js', import.meta.url)),
      key: `faults:${randomBytes(32).toString('base64')}`,
      ...options.config,
      worker: { spawn: false, concurrency: 20, grace: '10s', logLevel: 'debug', ...options.config.worker },
    }
  }

  /** Starts a server; resolves when it has started, its workers too where it spawns them. */
  async server(): Promise<ServerProcess> {
    const server = new ServerProcess(this.config, this.#options)
    this.servers.push(server)
    await server.ready
    return server
  }

  /** Starts so many workers, each one started again when it ends, as a process manager would; resolves when they consume. */
  async startWorkers(count: number, config: ConfigInput = {}): Promise<void> {
    const onDeath = (text: string): void => void (this.mayLoseWorkers || this.#options.onDeath(text))
    const options = { ...this.#options, onDeath }
    const started = Array.from({ length: count }, () => new WorkerProcess({ ...this.config, ...config }, options))
    this.workers.push(...started)
    await Promise.all(started.map((worker) => worker.consuming()))
  }

  /** Waits until what was declared is safe on every server. */
  async settled(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, SETTLED_MS))
  }

  /** Lets a server make calls; resolves when all of them are settled. Ids are unique over the row. */
  dispatch(server: ServerProcess, batch: Batch): Promise<void> {
    this.#batches += 1
    const prefix = batch.prefix ?? `b${this.#batches}-`
    const defaults = { task: 'work', perSecond: 100_000, inFlight: 1000, how: {} } as const
    return server.dispatch({ ...defaults, ...batch, do: 'dispatch', batch: this.#batches, prefix })
  }

  /** Lets a server make calls until `stop`, which resolves when all of them are settled. */
  load(server: ServerProcess, batch: Omit<Batch, 'count'>): { stop(): Promise<void> } {
    const settled = this.dispatch(server, { ...batch, count: ENDLESS })
    const number = this.#batches
    return {
      stop: () => {
        server.enough(number)
        return settled
      },
    }
  }

  /** Has the next worker that comes to this step die there; resolves when one did. */
  async dieAt(step: Step): Promise<void> {
    const path = join(this.#options.folder, 'die-at')
    writeFileSync(path, step)
    await until(`a worker that dies at "${step}"`, () => !existsSync(path), 60_000)
  }

  calls(): readonly Call[] {
    return this.#calls.calls()
  }

  runs(): readonly Run[] {
    return this.#effects.runs()
  }

  counts(): Counts {
    return countUp(this.calls(), this.runs())
  }

  /** What the servers, or the workers, printed. */
  printed(who: 'server' | 'worker'): string {
    return readFileSync(join(this.#options.folder, `${who}.log`), 'utf8')
  }

  /** Waits until every confirmed call has run, or nothing more happens; answers the counts. */
  async drained(stillMs = STILL_MS): Promise<Counts> {
    let ended = -1
    let since = Date.now()
    for (;;) {
      const counts = this.counts()
      if (counts.lost === 0 || Date.now() - since > stillMs) return counts
      if (counts.run !== ended) since = Date.now()
      ended = counts.run
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
  }

  /** Waits until so many ids have ended. */
  async hasRun(count: number, patienceMs = 120_000): Promise<void> {
    await until(`${count} tasks that ran`, async () => {
      await new Promise((resolve) => setTimeout(resolve, 200))
      return this.counts().run >= count
    }, patienceMs)
  }

  /** Waits until another call is confirmed: what was broken works again. */
  async confirmsAgain(patienceMs = 60_000): Promise<void> {
    const since = Date.now()
    await until('a call that is confirmed again', async () => {
      await new Promise((resolve) => setTimeout(resolve, 200))
      return this.calls().some(({ kind, atMs }) => kind === 'stored' && atMs >= since)
    }, patienceMs)
  }

  /** Ends everything in good order. Answers what did not end as it should. */
  async stop(): Promise<readonly string[]> {
    const troubles = await Promise.all([...this.servers, ...this.workers].map((process) => process.stop()))
    return troubles.filter((trouble) => trouble !== undefined)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.servers, ...this.workers].map((process) => process[Symbol.asyncDispose]()))
  }
}
