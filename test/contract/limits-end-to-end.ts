import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import type { ConfigInput } from 'errand'
import { compose, type Composed } from '#src/compose.js'
import { newId } from '#src/core/clock.js'
import { encodeArguments } from '#src/core/codec/encode.js'
import { silentLogger } from '#src/core/logger.js'
import type { Program } from '../kit/process.js'
import { eachScope, type Scope } from '../kit/temporary.js'
import { until } from '../kit/until.js'
import { WorkerApp } from '../kit/worker-app.js'

/** A line that a task of the application wrote. */
interface Line {
  readonly text: 'begun' | 'ended'
  readonly key: string
  readonly at: number
  readonly pid: number
  readonly attempt: number
}

const SERVICES = fileURLToPath(new URL('../fixtures/limited-app/limited.js', import.meta.url))
const CASE_TIMEOUT_MS = 120_000
const PATIENCE_MS = 60_000
const CONCURRENCY = 8

/** What limits mean over two worker processes, whatever the broker: registered as a mocha suite. */
export function limitsEndToEnd(name: string, config: () => Promise<ConfigInput>): void {
  describe(`The limits of tasks, over two workers on ${name}`, function () {
    this.timeout(CASE_TIMEOUT_MS)
    const scope = eachScope()
    for (const [title, body] of Object.entries(cases)) {
      it(title, async () => body(await Application.open(scope(), await config())))
    }
  })
}

const cases: Readonly<Record<string, (app: Application) => Promise<void>>> = {
  'let two run at once and never three; waiting is no attempt and nothing to log': async (app) => {
    await app.send('Limited.two', 40, () => [app.file, 20])
    const workers = await app.workers(2)

    const lines = await app.ended(40)

    expect(mostAtOnce(lines)).to.equal(2)
    expect(lines.filter(({ attempt }) => attempt > 1)).to.deep.equal([])
    // lines of our log; Node says on its own account that its SQLite is new
    expect(workers.map(({ output }) => output).join('')).not.to.match(/^\S+ (?:debug|warn|error) /m)
  },

  'hold for each key, and let every key have its turn, however many messages of the others wait before it': async (app) => {
    const gate = `${app.file}.gate`
    const keys = Array.from({ length: 20 }, (_, index) => `key ${index}`)
    for (const key of keys) await app.send('Limited.onePerKey', 5, () => [app.file, 20, key, gate])
    await app.workers(2, 12)

    // each holds its place until every other has one too
    await app.lines((lines) => new Set(lines.map(({ key }) => key)).size === keys.length)
    writeFileSync(gate, '')
    const lines = await app.ended(100)

    for (const key of keys) expect(mostAtOnce(lines.filter((line) => line.key === key)), key).to.equal(1)
  },

  'let no more begin in a second than the rate says': async (app) => {
    await app.send('Limited.tenPerSecond', 40, () => [app.file])
    await app.workers(2)

    const lines = await app.ended(40)

    const starts = lines.filter(({ text }) => text === 'begun').map(({ at }) => at).sort((a, b) => a - b)
    const inOneSecond = starts.map((from) => starts.filter((at) => at >= from && at < from + 1_000).length)
    // ten slots and the one that the second cuts in two; one more where a body was late to write
    expect(Math.max(...inOneSecond)).to.be.at.most(12)
  },

  'free the place of a worker that was killed': async (app) => {
    const gate = `${app.file}.gate`
    const [first] = await app.workers(1)
    await app.send('Limited.hold', 1, () => [app.file, gate])
    await app.lines((lines) => lines.length === 1)
    const [second] = await app.workers(1)
    await app.send('Limited.hold', 1, () => [app.file, gate])

    first?.kill('SIGKILL')
    const [, next] = await app.lines((lines) => lines.length >= 2)
    writeFileSync(gate, '')
    const lines = await app.ended(2)

    expect(next).to.include({ text: 'begun', pid: second?.pid })
    expect(mostAtOnce(lines.slice(1))).to.equal(1)
  },

  'do not let two thousand messages of one key hold up another': async (app) => {
    await app.send('Limited.onePerKey', 2_000, () => [app.file, 100, 'many'])
    await app.send('Limited.onePerKey', 1, () => [app.file, 1, 'one'])
    await app.workers(2)

    const lines = await app.lines((found) => found.some(({ key }) => key === 'one'))

    expect(lines.filter(({ key, text }) => key === 'many' && text === 'begun').length).to.be.below(1_000)
  },
}

/** Two workers of the limited application, and this process as its caller. */
class Application {
  readonly file: string
  readonly #app: WorkerApp
  readonly #composed: Composed

  constructor(app: WorkerApp, composed: Composed) {
    this.#app = app
    this.file = app.notesFile
    this.#composed = composed
  }

  static async open(scope: Scope, config: ConfigInput): Promise<Application> {
    const app = new WorkerApp(scope, { ...config, services: SERVICES })
    const composed = await compose(await app.config(), { log: silentLogger })
    scope.defer(() => composed.close())
    return new Application(app, composed)
  }

  async workers(count: number, concurrency = CONCURRENCY): Promise<readonly Program[]> {
    const workers = Array.from({ length: count }, () => this.#app.worker({ worker: { concurrency, logLevel: 'debug' } }))
    await Promise.all(workers.map((worker) => worker.line(/^consuming/)))
    return workers
  }

  async send(task: string, count: number, args: () => unknown[]): Promise<void> {
    const { broker, messages } = this.#composed
    const rest = { context: undefined, carriers: undefined, sentAt: Date.now(), expiresAt: undefined, replyTo: undefined }
    const publish = (): Promise<void> => {
      const id = newId()
      return broker.publish({ id, queue: 'default', body: messages.sealCall({ id, task, args: encodeArguments(args(), task), ...rest }) })
    }
    await Promise.all(Array.from({ length: count }, publish))
  }

  /** The lines so far, as soon as they are what is waited for. */
  async lines(isEnough: (lines: readonly Line[]) => boolean): Promise<readonly Line[]> {
    // written by the tasks of the application, which say more than other notes
    const read = (): readonly Line[] => this.#app.notes() as unknown as readonly Line[]
    return until('the lines of the tasks', () => isEnough(read()) && read(), PATIENCE_MS)
  }

  ended(count: number): Promise<readonly Line[]> {
    return this.lines((lines) => lines.filter(({ text }) => text === 'ended').length >= count)
  }
}

/** Lines stand in the order in which they were written, whoever wrote them. */
function mostAtOnce(lines: readonly Line[]): number {
  let running = 0
  let most = 0
  for (const { text } of lines) {
    running += text === 'begun' ? 1 : -1
    most = Math.max(most, running)
  }
  return most
}
