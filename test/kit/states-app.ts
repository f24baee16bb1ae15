import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { start, tasks, type CancelResult, type ConfigInput, type Running, type TaskState, type TaskStatus } from 'errand'
import { encodeArguments } from '#src/core/codec/encode.js'
import { silentLogger } from '#src/core/logger.js'
import { appState } from '#src/runtime/app.js'
import type { Runtime } from '#src/runtime/runtime.js'
import { endWithTest, startProgram, type Program } from './process.js'
import type { Scope } from './temporary.js'
import { until } from './until.js'

const TASKS = fileURLToPath(new URL('../fixtures/states/tasks.js', import.meta.url))
const OWN_WORKER = new URL('../fixtures/worker-app/own-worker.js', import.meta.url)
const READER = new URL('../fixtures/states/reader.js', import.meta.url)
const CANCELLER = new URL('../fixtures/cancel/canceller.js', import.meta.url)
const CALLER = new URL('../fixtures/keys/caller.js', import.meta.url)
const MORTAL_CALLER = new URL('../fixtures/keys/mortal-caller.js', import.meta.url)

const LONG_PAUSE_MS = 2_000

/** An application whose server is the test, with workers and further servers that are processes of their own. */
export class StatesApp {
  /** Where tasks write that they ran, and the file that lets them end. */
  readonly file: string
  readonly gate: string
  readonly #scope: Scope
  readonly #base: ConfigInput

  constructor(scope: Scope, base: ConfigInput = {}) {
    this.#scope = scope
    this.#base = base
    this.file = scope.file('ran')
    this.gate = scope.file('gate')
  }

  /** The server, without a worker. */
  async start(): Promise<Running> {
    const running = await start({ ...this.#settings(), logger: silentLogger })
    this.#scope.defer(() => running.stop())
    return running
  }

  /** A worker, once it consumes. */
  async worker(config: ConfigInput = {}, env: Readonly<Record<string, string>> = {}): Promise<Program> {
    const worker = startProgram(this.#scope, OWN_WORKER, { args: [JSON.stringify({ ...this.#settings(), ...config })], env })
    await worker.line(/^consuming/)
    return worker
  }

  /** The configuration of a worker, for programs that start one themselves. */
  workerSettings(): ConfigInput {
    return this.#settings()
  }

  /** What another server of the application says of a task. */
  async askElsewhere(id: string): Promise<{ readonly status: TaskStatus; readonly result: unknown }> {
    const reader = startProgram(this.#scope, READER, { args: [JSON.stringify(this.#settings()), id] })
    // written by the reader
    return JSON.parse(await reader.line(/^\{/)) as { readonly status: TaskStatus; readonly result: unknown }
  }

  /** What another server of the application is told when it cancels a task. */
  async cancelElsewhere(id: string): Promise<CancelResult> {
    const canceller = startProgram(this.#scope, CANCELLER, { args: [JSON.stringify(this.#settings()), id] })
    // written by the canceller
    return JSON.parse(await canceller.line(/^\{/)) as CancelResult
  }

  /** Another server of the application, which calls `counted` so many times with that key once `calls` is there. */
  caller(key: string, calls: string, count: number): Program {
    return startProgram(this.#scope, CALLER, { args: [JSON.stringify(this.#settings()), key, calls, String(count), this.file, this.gate] })
  }

  /** Another server of the application, which calls `counted` with that key and comes to its end, by signal, as it publishes the message. */
  mortalCaller(key: string): Program {
    return startProgram(this.#scope, MORTAL_CALLER, { args: [JSON.stringify(this.#settings()), key, this.file, this.gate] })
  }

  open(): void {
    appendFileSync(this.gate, '')
  }

  /** What the tasks wrote, once there are so many lines. */
  async ran(count: number): Promise<readonly string[]> {
    return until(`${count} lines`, () => this.lines().length >= count && this.lines())
  }

  lines(): readonly string[] {
    return existsSync(this.file) ? readFileSync(this.file, 'utf8').split('\n').slice(0, -1) : []
  }

  /** The status of a task, once it is in that state. */
  async reached(id: string, state: TaskState): Promise<TaskStatus> {
    return until(`${id} ${state}`, async () => {
      const status = await tasks.get(id).status()
      return status.state === state && status
    })
  }

  /**
   * Resolves in a pause between two runs, one that is long enough to do something in it on a busy machine too: pauses are drawn by lot,
   * and may last a few milliseconds.
   */
  async pauses(id: string): Promise<void> {
    await until('a long pause', async () => {
      const { state, dueAt = 0 } = await tasks.get(id).status()
      return state === 'retrying' && dueAt > Date.now() + LONG_PAUSE_MS
    })
  }

  /** Delivers a message with that id once more, as a broker may. */
  async sendAgain(id: string, task: string, given: readonly unknown[]): Promise<void> {
    const { messages, broker } = runtime()
    const args = encodeArguments(given, task)
    const body = messages.sealCall({ id, task, args, context: undefined, carriers: undefined, sentAt: Date.now(), expiresAt: undefined, replyTo: undefined })
    await broker.publish({ id, queue: 'default', body })
  }

  async cancel(id: string): Promise<void> {
    await runtime().tracking?.store.record([{ kind: 'cancelled', id, at: Date.now() }])
  }

  /** Messages that nobody has settled. */
  async waiting(): Promise<number> {
    return (await runtime().broker.count('default')).waiting
  }

  killWorkerOf(status: TaskStatus): void {
    const pid = status.attempts.at(-1)?.worker.pid ?? 0
    endWithTest(this.#scope, [pid])
    process.kill(pid, 'SIGKILL')
  }

  #settings(): ConfigInput {
    return {
      withAsync: true,
      service: 'states',
      environment: 'test',
      dataDir: this.#scope.file('data'),
      services: TASKS,
      ...this.#base,
      worker: { spawn: false, concurrency: 4, grace: '1s' },
    }
  }
}

function runtime(): Runtime {
  const state = appState()
  if (state.kind !== 'on') throw new Error('The server of this test is not started')
  return state.runtime
}
