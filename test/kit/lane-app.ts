import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ConfigInput } from 'errand'
import { deadQueueOf } from '#src/broker/broker.js'
import { compose, type Composed } from '#src/compose.js'
import { newId } from '#src/core/clock.js'
import { encodeArguments } from '#src/core/codec/encode.js'
import { makeContext } from '#src/core/context.js'
import { silentLogger } from '#src/core/logger.js'
import { endWithTest, type Program, type ProgramOptions } from './process.js'
import type { Scope } from './temporary.js'
import { until } from './until.js'
import { WorkerApp } from './worker-app.js'

const SERVICES = fileURLToPath(new URL('../fixtures/isolation/tasks.js', import.meta.url))

/** What a task of `fixtures/isolation` did. */
export interface Deed {
  readonly text: string
  readonly id: string
  readonly attempt: number
  readonly pid: number
  readonly threadId: number
  readonly user?: { readonly id: string }
}

/** A dead letter. */
export interface DeadLetter {
  readonly id: string
  readonly task: string
  readonly code: string
  readonly reason: string
  readonly attempt: number
  readonly crashes: number
}

/** An application of isolated tasks: workers in processes, calls from the test itself. */
export class LaneApp {
  readonly file: string
  /** Lets `heed` and `ignore` end. */
  readonly gate: string
  readonly #scope: Scope
  readonly #app: WorkerApp
  #composed: Promise<Composed> | undefined

  constructor(scope: Scope, base: ConfigInput = {}) {
    this.#scope = scope
    this.#app = new WorkerApp(scope, { services: SERVICES, ...base })
    this.file = scope.file('deeds')
    this.gate = scope.file('gate')
    appendFileSync(this.file, '')
  }

  /** A worker of its own, once it consumes. */
  async worker(config: ConfigInput = {}, options: ProgramOptions = {}): Promise<Program> {
    const worker = this.beginning(config, options)
    await worker.line(/^consuming/)
    return worker
  }

  /** A worker of its own, which may not come to consume all its queues. */
  beginning(config: ConfigInput = {}, options: ProgramOptions = {}): Program {
    return this.#app.worker(config, options)
  }

  /** A server with its worker. */
  server(config: ConfigInput = {}): Program {
    return this.#app.server({ config })
  }

  workers(): Promise<readonly number[]> {
    return this.#app.workers()
  }

  /** Calls a task as Ada; answers the id. The first argument of each is the file of deeds. */
  async call(task: string, ...args: readonly unknown[]): Promise<string> {
    const { messages, broker } = await this.composed()
    const id = newId()
    const given = encodeArguments([this.file, ...args], task)
    const context = makeContext({ user: { id: 'ada' } })
    const body = messages.sealCall({ id, task, args: given, context, carriers: undefined, sentAt: Date.now(), expiresAt: undefined, replyTo: undefined })
    await broker.publish({ id, queue: 'default', body })
    return id
  }

  open(): void {
    appendFileSync(this.gate, '')
  }

  deeds(): readonly Deed[] {
    if (!existsSync(this.file)) return []
    // written by the tasks
    return readFileSync(this.file, 'utf8').split('\n').slice(0, -1).map((line) => JSON.parse(line) as Deed)
  }

  /** All deeds, once `count` of them have that text. */
  async done(text: string | RegExp, count = 1, patienceMs?: number): Promise<readonly Deed[]> {
    const isIt = (deed: Deed): boolean => (typeof text === 'string' ? deed.text === text : text.test(deed.text))
    const deeds = await until(`${count} x ${text}`, () => this.deeds().filter(isIt).length >= count && this.deeds(), patienceMs)
    endWithTest(this.#scope, [...new Set(deeds.map(({ pid }) => pid))].filter((pid) => pid !== process.pid))
    return deeds
  }

  /** The dead letters, once there are so many. */
  async dead(count: number, patienceMs?: number): Promise<readonly DeadLetter[]> {
    const { broker } = await this.composed()
    await until(`${count} dead letters`, async () => (await broker.count('default')).dead >= count, patienceMs)
    const found: DeadLetter[] = []
    await broker.browse(deadQueueOf('default'), ({ id, note }) => {
      // written by the executor
      found.push({ id, ...(JSON.parse(note ?? '{}') as Omit<DeadLetter, 'id'>) })
      return { kind: 'keep' }
    })
    return found
  }

  composed(): Promise<Composed> {
    this.#composed ??= this.#open()
    return this.#composed
  }

  async #open(): Promise<Composed> {
    const composed = await compose(await this.#app.config(), { log: silentLogger })
    this.#scope.defer(() => composed.close())
    return composed
  }
}
