import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import type { ConfigInput } from 'errand'
import type { Program } from '../kit/process.js'
import { eachScope, type Scope } from '../kit/temporary.js'
import { until } from '../kit/until.js'
import { WorkerApp } from '../kit/worker-app.js'

/** A line that a task of the application wrote. */
interface Note {
  readonly text: string
  readonly id: string
  readonly attempt: number
  readonly at: number
  readonly pid: number
  readonly user?: { readonly id: string }
}

const SERVICES = fileURLToPath(new URL('../fixtures/scheduled-app/scheduled.js', import.meta.url))
const CASE_TIMEOUT_MS = 120_000
/** Ten firings take ten seconds, and as many more where the machine is busy. */
const PATIENCE_MS = 80_000
const LEADS = /Leads the schedules/

/** What schedules mean over two worker processes, whatever the broker: registered as a mocha suite. */
export function schedulesEndToEnd(name: string, config: () => Promise<ConfigInput>): void {
  describe(`Schedules, over two workers on ${name}`, function () {
    this.timeout(CASE_TIMEOUT_MS)
    const scope = eachScope()
    for (const [title, body] of Object.entries(cases)) {
      it(title, async () => body(new Application(scope(), await config())))
    }
  })
}

const cases: Readonly<Record<string, (app: Application) => Promise<void>>> = {
  'fire once each, from one of them, as the context that they name': async (app) => {
    const workers = await app.workers(2)

    const notes = await app.ticks(10)

    expect(doubles(notes)).to.deep.equal([])
    expect(workers.filter(({ output }) => LEADS.test(output))).to.have.length(1)
    expect(notes.filter(({ user }) => user?.id !== 'clock')).to.deep.equal([])
    expect(notes.filter(({ text }) => text !== 'tick')).to.deep.equal([])
  },

  'go on under the other one when the leader is killed: nothing twice, and no long gap': async (app) => {
    await app.workers(2)
    await app.ticks(3)
    const leader = await app.leader()

    leader.kill('SIGKILL')
    await leader.exited
    const killedAt = Date.now()
    const before = app.notes().length
    const notes = await app.ticks(before + 5)

    expect(doubles(notes)).to.deep.equal([])
    expect((notes[before]?.at ?? Infinity) - killedAt).to.be.below(15_000)
  },

  'go on under the other one when the leader stops in order': async (app) => {
    await app.workers(2)
    await app.ticks(2)
    const leader = await app.leader()

    leader.kill('SIGTERM')
    expect(await leader.exited).to.deep.equal({ code: 0, signal: null })
    const notes = await app.ticks(app.notes().length + 3)

    expect(doubles(notes)).to.deep.equal([])
  },

  'are read from the configuration as well, with arguments': async (app) => {
    await app.workers(1, { schedules: [{ task: 'Scheduled.said', cron: '* * * * * *', arguments: ['hello'] }] })

    await until('a run with its argument', () => app.notes().some(({ text }) => text === 'hello'), PATIENCE_MS)
  },

  'that name no task keep the worker from starting, and say which': async (app) => {
    const worker = app.worker({ schedules: [{ task: 'Scheduled.tik', every: '1m' }] })

    await worker.exited
    expect(worker.output).to.match(/SERVICE_LOAD_FAILED|"Scheduled\.tik"/).and.to.match(/Did you mean "Scheduled\.tick"/)
  },
}

/** Firings that ran more than once; a run that a kill ended comes again under a higher attempt, as of any message. */
const doubles = (notes: readonly Note[]): readonly string[] =>
  notes.map(({ id, attempt }) => `${id} ${attempt}`).filter((run, index, runs) => runs.indexOf(run) !== index)

class Application {
  readonly #app: WorkerApp
  readonly #file: string
  readonly #workers: Program[] = []

  constructor(scope: Scope, config: ConfigInput) {
    this.#app = new WorkerApp(scope, { services: SERVICES, ...config })
    this.#file = scope.file('ticks')
  }

  worker(config?: ConfigInput): Program {
    const worker = this.#app.worker(config, { env: { NOTES: this.#file } })
    this.#workers.push(worker)
    return worker
  }

  async workers(count: number, config?: ConfigInput): Promise<readonly Program[]> {
    const workers = Array.from({ length: count }, () => this.worker(config))
    for (const worker of workers) await until('a worker that consumes', () => /^consuming/m.test(worker.output), PATIENCE_MS)
    return workers
  }

  leader(): Promise<Program> {
    return until('a leader', () => this.#workers.findLast(({ output }) => LEADS.test(output)))
  }

  notes(): readonly Note[] {
    if (!existsSync(this.#file)) return []
    // written by the tasks
    return readFileSync(this.#file, 'utf8').split('\n').slice(0, -1).map((line) => JSON.parse(line) as Note)
  }

  ticks(count: number): Promise<readonly Note[]> {
    return until(`${count} ticks`, () => this.notes().length >= count && this.notes(), PATIENCE_MS)
  }
}
