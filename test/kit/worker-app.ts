import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Config, ConfigInput } from 'errand'
import { loadConfig } from '#config/load.js'
import { queryLeader } from '#worker/supervisor/election.js'
import { endWithTest, startProgram, type Program, type ProgramOptions } from './process.js'
import type { Scope } from './temporary.js'
import { until } from './until.js'

const FOLDER = new URL('../fixtures/worker-app/', import.meta.url)
const LONG = '10m'

/** How a task of the application ran. */
export interface Note {
  readonly text: string
  readonly pid: number
  readonly attempt: number
  readonly user?: { readonly id: string }
}

export interface Call {
  readonly task: 'note' | 'hold' | 'heed' | 'failOutside' | 'spin' | 'callOn'
  readonly args: readonly string[]
}

export interface ServerOptions extends ProgramOptions {
  readonly config?: ConfigInput
  readonly calls?: readonly Call[]
  /** Instead of the compiled server. */
  readonly file?: URL
  /** What `file` is to run, when it is a runner. */
  readonly program?: URL
}

/** An application with a server and tasks, by default on a queue file in the folder of the test. */
export class WorkerApp {
  readonly notesFile: string
  readonly #scope: Scope
  readonly #base: ConfigInput

  /** `base` is what the configurations of all its processes have in common. */
  constructor(scope: Scope, base: ConfigInput = {}) {
    this.#scope = scope
    this.#base = base
    this.notesFile = scope.file('notes')
  }

  server({ config, calls = [], file = new URL('server.js', FOLDER), program, ...options }: ServerOptions = {}): Program {
    const given = JSON.stringify({ options: this.#settings(config), calls })
    return startProgram(this.#scope, file, { ...options, args: program === undefined ? [given] : [fileURLToPath(program), given] })
  }

  /** A worker in a process of its own. */
  worker(config: ConfigInput = {}, options: ProgramOptions = {}): Program {
    return startProgram(this.#scope, new URL('own-worker.js', FOLDER), { ...options, args: [JSON.stringify(this.#settings(config))] })
  }

  notes(): readonly Note[] {
    if (!existsSync(this.notesFile)) return []
    const lines = readFileSync(this.notesFile, 'utf8').split('\n').slice(0, -1)
    // written by the tasks of the application
    return lines.map((line) => JSON.parse(line) as Note)
  }

  /** The notes, as soon as there are so many; the process that wrote them ends with the test. */
  async noted(count: number): Promise<readonly Note[]> {
    const notes = await until(`${count} notes`, () => this.notes().length >= count && this.notes())
    endWithTest(this.#scope, notes.map(({ pid }) => pid))
    return notes
  }

  /** Process ids of the workers that a server of this application runs. */
  async workers(): Promise<readonly number[]> {
    const status = await queryLeader(await this.config())
    const pids = (status?.workers ?? []).flatMap(({ pid, state }) => (pid !== undefined && state === 'running' ? [pid] : []))
    endWithTest(this.#scope, pids)
    return pids
  }

  config(): Promise<Config> {
    return loadConfig({ overrides: this.#settings() })
  }

  #settings({ worker, ...config }: ConfigInput = {}): ConfigInput {
    return {
      withAsync: true,
      service: 'shop',
      environment: 'test',
      dataDir: this.#scope.file('data'),
      services: fileURLToPath(new URL('work.js', FOLDER)),
      ...this.#base,
      ...config,
      worker: { concurrency: 4, grace: LONG, ...worker },
    }
  }
}
