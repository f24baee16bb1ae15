import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { assert } from 'chai'
import { background, start, withContext, type ConfigInput } from 'errand'
import { loadConfig } from '#config/load.js'
import { silentLogger } from '#src/core/logger.js'
import { countOutbox } from '#src/compose/outbox.js'
import { mixed } from '../fixtures/mixed/services.js'
import { argumentsOf } from '../fixtures/mixed/values.js'
import { startProgram, type Program } from '../kit/process.js'
import { describeRabbit, freshNamespace, startRabbitNode, type RabbitNode } from '../kit/rabbitmq.js'
import { eachScope, type Scope } from '../kit/temporary.js'
import { until } from '../kit/until.js'
import { WorkerApp } from '../kit/worker-app.js'

const PATIENCE_MS = 120_000

describeRabbit(
  'RabbitMQ that goes away under an application',
  function () {
    this.timeout(300_000)
    const scope = eachScope()
    let node: RabbitNode
    before(async () => {
      node = await startRabbitNode()
    })
    after(() => node[Symbol.asyncDispose]())

    it('with an outbox, 2,000 calls across two outages and a kill of the server all run, in the order of the calls', async () => {
      const { server, numbers, outbox } = application(scope(), node.url)
      const first = server(0)
      await first.callUpTo(100)
      await until('the first ones', () => numbers().length >= 100, PATIENCE_MS)
      await node.stop()
      await first.callUpTo(700)
      await first.kill()

      // it starts although the broker is away
      const second = server(700)
      await second.callUpTo(1000)
      assert.equal((await outbox()).waiting, 900)
      await second.program.line(/The worker waits for its broker/)
      await node.restart()
      await until('what was kept', () => new Set(numbers()).size >= 1000, PATIENCE_MS)
      await second.program.line(/The outbox is empty/)

      second.allow(2000)
      await second.program.line(/^resolved 1300$/)
      await node.kill9()
      await second.callUpTo(2000)
      await node.restart()

      await until('all of them', () => new Set(numbers()).size >= 2000, PATIENCE_MS)
      const firstRuns = [...new Set(numbers())]
      assert.deepEqual(firstRuns, range(0, 2000))
      assert.notMatch(first.program.output + second.program.output, /^rejected|WORKER_CRASH_LOOP/m)
      assert.isBelow(numbers().length - 2000, 300, 'runs that were doubled')
    })

    it('with an outbox that two servers share, of which one is killed while it is emptied, all calls run, in the order of each', async () => {
      const { app, server, numbers, outbox } = application(scope(), node.url, { spawn: false })
      await node.stop()
      const [one, other] = [server(0), server(10_000)]
      await Promise.all([one.callUpTo(500), other.callUpTo(10_500)])
      assert.equal((await outbox()).waiting, 1000)
      await node.restart()
      await until('some of it to be sent', async () => (await outbox()).waiting < 1000, PATIENCE_MS)

      await one.kill()
      await until('all of it to be sent', async () => (await outbox()).waiting === 0, PATIENCE_MS)
      app.worker({ worker: { concurrency: 1 } })

      await until('all of them', () => new Set(numbers()).size >= 1000, PATIENCE_MS)
      const runs = [...new Set(numbers())]
      for (const from of [0, 10_000]) assert.deepEqual(runs.filter((number) => Math.abs(number - from) < 5000), range(from, from + 500))
    })

    it('with an outbox, a call for a value that was made meanwhile is answered when RabbitMQ is back', async () => {
      await node.stop()
      const running = await start({
        withAsync: true,
        service: freshNamespace(),
        dataDir: scope().folder(),
        services: fileURLToPath(new URL('../fixtures/mixed/services.js', import.meta.url)),
        broker: { url: node.url, connectTimeout: '500ms' },
        whenBrokerAway: 'spool',
        resultTimeout: '120s',
        logger: silentLogger,
        worker: { logLevel: 'error' },
      })
      scope().defer(() => running.stop())
      const args = argumentsOf(1)

      const [plain, handle] = [ask(() => mixed.echo(1, ...args)), await ask(() => background(mixed).echo(2, ...args))]
      await node.restart()

      assert.deepEqual(await plain, { user: ADA, args })
      assert.deepEqual(await handle.result(), { user: ADA, args })
    })

    it('without an outbox, a worker that takes the place of another meanwhile waits for it, and then runs what waited', async () => {
      const app = new WorkerApp(scope(), { service: freshNamespace(), broker: { url: node.url, connectTimeout: '500ms' }, ...KEY })
      const server = app.server({ calls: [{ task: 'note', args: [app.notesFile, 'before'] }] })
      const [first] = await app.noted(1)
      await node.stop()

      process.kill(first?.pid ?? 0, 'SIGKILL')
      await server.line(/The worker waits for its broker and tries again in 4 s/)
      await node.restart()

      const next = app.server({ calls: [{ task: 'note', args: [app.notesFile, 'after'] }] })
      assert.notEqual((await app.noted(2))[1]?.pid, first?.pid)
      assert.notMatch(server.output + next.output, /WORKER_CRASH_LOOP/)
    })

    it('without an outbox, a worker that starts meanwhile waits for it instead of dying in a loop', async () => {
      const app = new WorkerApp(scope(), { service: freshNamespace(), broker: { url: node.url, connectTimeout: '500ms' }, ...KEY })
      await node.stop()

      const worker = app.worker()
      await worker.line(/The worker waits for its broker and tries again in 1 s/)
      await node.restart()

      await worker.line(/^consuming$/)
      worker.kill('SIGTERM')
      assert.deepEqual(await worker.exited, { code: 0, signal: null })
    })
  },
  { own: true },
)

const KEY: ConfigInput = { key: `k1:${Buffer.alloc(32, 7).toString('base64')}` }

const range = (from: number, end: number): number[] => Array.from({ length: end - from }, (_, index) => from + index)

const ADA = { id: 1, name: 'Ada' }
const ask = <T>(call: () => T): T => withContext({ user: ADA }, call)

/** Servers that call with numbers, and a worker that writes them down one by one. */
function application(scope: Scope, url: string, worker: ConfigInput['worker'] = {}) {
  const base: ConfigInput = { service: freshNamespace(), broker: { url, connectTimeout: '500ms' }, whenBrokerAway: 'spool', ...KEY }
  const app = new WorkerApp(scope, base)
  const options: ConfigInput = {
    withAsync: true,
    environment: 'test',
    dataDir: scope.file('data'),
    services: fileURLToPath(new URL('../fixtures/worker-app/work.js', import.meta.url)),
    worker: { concurrency: 1, ...worker },
    ...base,
  }
  const outbox = async () => (await countOutbox(await loadConfig({ overrides: options }), silentLogger)) ?? { waiting: 0, dead: 0 }
  const numbers = (): readonly number[] => app.notes().map(({ text }) => Number(text))
  return { app, server: (from: number) => new Caller(scope, { options, notes: app.notesFile, from }), numbers, outbox }
}

/** A server that makes one call after the other, up to the number it is told. */
class Caller {
  readonly program: Program
  readonly #limit: string

  constructor(scope: Scope, given: { readonly options: ConfigInput; readonly notes: string; readonly from: number }) {
    this.#limit = scope.file(`limit-${given.from}`)
    this.allow(given.from)
    const args = [JSON.stringify({ ...given, limit: this.#limit })]
    this.program = startProgram(scope, new URL('../fixtures/outbox/server.js', import.meta.url), { args })
  }

  allow(end: number): void {
    writeFileSync(this.#limit, String(end))
  }

  async callUpTo(end: number): Promise<void> {
    this.allow(end)
    await until(`call ${end - 1}`, () => this.program.lines.includes(`resolved ${end - 1}`), PATIENCE_MS)
  }

  async kill(): Promise<void> {
    this.program.kill('SIGKILL')
    await this.program.exited
  }
}
