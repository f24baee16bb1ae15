import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { assert } from 'chai'
import { background, start, withContext, type ConfigInput } from 'errand'
import { loadConfig } from '#config/load.js'
import { silentLogger } from '#src/core/logger.js'
import { countOutbox } from '#src/compose.js'
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
      const { server, callUpTo, numbers, outbox } = application(scope(), node.url)
      const first = server(0)
      await callUpTo(first, 100)
      await until('the first ones', () => numbers().length >= 100, PATIENCE_MS)
      await node.stop()
      await callUpTo(first, 700)
      first.kill('SIGKILL')
      await first.exited

      // it starts although the broker is away
      const second = server(700)
      await callUpTo(second, 1000)
      assert.equal((await outbox()).waiting, 900)
      await second.line(/The worker waits for its broker/)
      await node.restart()
      await until('what was kept', () => new Set(numbers()).size >= 1000, PATIENCE_MS)
      await second.line(/The outbox is empty/)

      writeFileSync(scope().file('limit'), '2000')
      await second.line(/^resolved 1300$/)
      await node.kill9()
      await callUpTo(second, 2000)
      await node.restart()

      await until('all of them', () => new Set(numbers()).size >= 2000, PATIENCE_MS)
      const firstRuns = [...new Set(numbers())]
      assert.deepEqual(firstRuns, Array.from({ length: 2000 }, (_, number) => number))
      assert.notMatch(first.output + second.output, /^rejected|WORKER_CRASH_LOOP/m)
      assert.isBelow(numbers().length - 2000, 300, 'runs that were doubled')
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

const ADA = { id: 1, name: 'Ada' }
const ask = <T>(call: () => T): T => withContext({ user: ADA }, call)

/** A server that calls with numbers, and a worker that writes them down one by one. */
function application(scope: Scope, url: string) {
  const app = new WorkerApp(scope)
  const options: ConfigInput = {
    withAsync: true,
    service: freshNamespace(),
    environment: 'test',
    dataDir: scope.file('data'),
    services: fileURLToPath(new URL('../fixtures/worker-app/work.js', import.meta.url)),
    broker: { url, connectTimeout: '500ms' },
    whenBrokerAway: 'spool',
    worker: { concurrency: 1 },
    ...KEY,
  }
  const limit = scope.file('limit')
  const server = (from: number): Program => {
    const given = JSON.stringify({ options, notes: app.notesFile, from, limit })
    return startProgram(scope, new URL('../fixtures/outbox/server.js', import.meta.url), { args: [given] })
  }
  const callUpTo = async (program: Program, end: number): Promise<void> => {
    writeFileSync(limit, String(end))
    await until(`call ${end - 1}`, () => program.lines.includes(`resolved ${end - 1}`), PATIENCE_MS)
  }
  const outbox = async () => (await countOutbox(await loadConfig({ overrides: options }), silentLogger)) ?? { waiting: 0, dead: 0 }
  return { server, callUpTo, outbox, numbers: () => app.notes().map(({ text }) => Number(text)) }
}
