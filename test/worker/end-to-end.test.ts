import { expect } from 'chai'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { allGone, endWithTest, isAlive } from '../kit/process.js'
import { freePort } from '../kit/free-port.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'
import { WorkerApp } from '../kit/worker-app.js'

const SOURCE = new URL('../../../test/fixtures/worker-app/', import.meta.url)
/** No worker lives longer than this without its server. */
const PROMISED_MS = 5_000
const TSX = createRequire(import.meta.url).resolve('tsx/cli')

describe('A task of a server, in whatever way that is written', () => {
  const scope = eachScope()
  let app: WorkerApp
  let file: string

  beforeEach(() => {
    app = new WorkerApp(scope())
    file = app.notesFile
  })

  for (const how of ['exception', 'rejection']) {
    it(`has its worker replaced when it leaves an uncaught ${how} behind, with a report, and runs again`, async () => {
      const reports = scope().file('reports')
      const config = { errorReporter: new URL('../fixtures/worker-app/error-reporter.js', import.meta.url).pathname }
      const server = app.server({ config, calls: [{ task: 'failOutside', args: [file, how] }], env: { REPORTS: reports } })

      const notes = await app.noted(2)
      const [report] = readFileSync(reports, 'utf8').split('\n')

      expect(notes.map(({ attempt }) => attempt)).to.deep.equal([1, 2])
      expect(JSON.parse(report ?? '')).to.deep.include({ message: 'RangeError: thrown outside of the task', fatal: true })
      await server.line(new RegExp(`^worker\\[${notes[0]?.pid}\\] error .*RangeError: thrown outside of the task`))
      await server.line(/ended with code 1; the next one starts in/)
      await server.line(/The worker ends because Work\.failOutside \(id \S+\) left an error that nothing caught/)
    })
  }

  for (const how of ['tsx server.ts', 'node --import tsx server.ts'] as const) {
    it(`runs in TypeScript as it stands when the server is started by ${how}`, async () => {
      const server = new URL('server.ts', SOURCE)
      const config = { services: new URL('*rk.ts', SOURCE).pathname }
      const calls = [{ task: 'note', args: [file, 'hello'] }] as const

      if (how === 'tsx server.ts') app.server({ config, calls, file: pathToFileURL(TSX), program: server, ownGroup: true })
      else app.server({ config, calls, file: server, flags: ['--import', import.meta.resolve('tsx')] })
      const [note] = await app.noted(1)

      expect(note).to.deep.include({ text: 'hello', user: { id: 'ada' } })
    })
  }

  it('runs from the modules of the server when the configuration names none', async () => {
    app.server({ config: { services: [] }, calls: [{ task: 'note', args: [file, 'hello'] }] })

    const [note] = await app.noted(1)

    expect(note).to.include({ text: 'hello' })
  })

  it('runs in a worker that loaded the web server itself, and left its port alone', async () => {
    const port = await freePort()
    const services = new URL('../fixtures/worker-app/{server,work}.js', import.meta.url).pathname.replace('%7B', '{').replace('%7D', '}')
    const server = app.server({ config: { services }, env: { PORT: String(port) }, calls: [{ task: 'note', args: [file, 'hello'] }] })

    const [note] = await app.noted(1)

    expect(note?.pid).not.to.equal(server.pid)
    expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).to.equal(String(server.pid))
    await server.line(new RegExp(`^worker\\[${note?.pid}\\] info A module asked to listen on port ${port};`))
  })
})

describe('The worker of a server', () => {
  const scope = eachScope()
  let app: WorkerApp
  let file: string
  let gate: string

  beforeEach(() => {
    app = new WorkerApp(scope())
    file = app.notesFile
    gate = scope().file('gate')
  })

  for (const signal of ['SIGKILL', 'SIGTERM', 'SIGINT'] as const) {
    it(`goes with the server that ${signal} ended, long before its grace period, and its task is not lost`, async () => {
      const server = app.server({ calls: [{ task: 'hold', args: [file, gate] }], config: { worker: { processes: 2 } } })
      const [note] = await app.noted(1)
      const workers = await until('both workers', async () => (await app.workers()).length === 2 && app.workers())

      server.kill(signal)
      await server.exited
      await allGone(workers)
      writeFileSync(gate, '')
      app.server()
      const notes = await app.noted(3)

      expect(notes.map(({ text }) => text)).to.deep.equal(['begun', 'begun', 'ended'])
      expect(notes[1]?.pid).not.to.equal(note?.pid)
    })
  }

  it('goes with its server even when something that it has to close hangs', async () => {
    const container = new URL('../fixtures/worker-services/container-hanging.js', import.meta.url).pathname
    const server = app.server({ config: { container } })
    await server.line(/^sent/)
    const workers = await app.workers()

    server.kill('SIGKILL')

    expect(workers).to.have.length(1)
    await allGone(workers)
  })

  it('goes with its server even when a task never yields', async () => {
    const server = app.server({ calls: [{ task: 'spin', args: [file] }] })
    const [note] = await app.noted(1)

    server.kill('SIGKILL')
    await server.exited

    await allGone([note?.pid ?? 0], PROMISED_MS)
  })

  it('goes with its server even when a module that it loads never yields', async () => {
    const services = new URL('../fixtures/worker-services/spinning.js', import.meta.url).pathname
    const server = app.server({ config: { services } })
    const pid = Number((await server.line(/^loading in \d+$/)).split(' ').at(-1))
    endWithTest(scope(), [pid])

    server.kill('SIGKILL')
    await server.exited

    await allGone([pid], PROMISED_MS)
  })

  it('lets its tasks end when server and worker get the same signal, as from a terminal', async () => {
    const server = app.server({ calls: [{ task: 'hold', args: [file, gate] }], env: { GRACEFUL: '1' }, ownGroup: true })
    await app.noted(1)

    process.kill(-server.pid, 'SIGTERM')
    await server.line(/stops; 1 running task/)
    writeFileSync(gate, '')

    expect(await server.exited).to.deep.equal({ code: 0, signal: null })
    expect(app.notes().map(({ text }) => text)).to.deep.equal(['begun', 'ended'])
  })

  it('ends its tasks on a signal of its own, and is replaced', async () => {
    const server = app.server({ calls: [{ task: 'hold', args: [file, gate] }] })
    const [note] = await app.noted(1)

    process.kill(note?.pid ?? 0, 'SIGTERM')
    await server.line(/stops; 1 running task/)
    writeFileSync(gate, '')
    await app.noted(2)

    await server.line(/stopped on a signal; a new one starts/)
    expect(app.notes().map(({ text }) => text)).to.deep.equal(['begun', 'ended'])
  })

  it('ends at once on a second signal', async () => {
    const server = app.server({ calls: [{ task: 'hold', args: [file, gate] }] })
    const [note] = await app.noted(1)

    process.kill(note?.pid ?? 0, 'SIGTERM')
    await server.line(/stops; 1 running task/)
    await until('its end', () => {
      if (isAlive(note?.pid ?? 0)) process.kill(note?.pid ?? 0, 'SIGTERM')
      return !isAlive(note?.pid ?? 0)
    })

    expect(app.notes()).to.have.length(1)
  })

  it('says in the log of the server which module cannot be loaded, and ends with code 1', async () => {
    const services = new URL('../fixtures/worker-services/broken/throws.js', import.meta.url).pathname
    const server = app.server({ config: { services, worker: { keepAlive: false } } })

    await server.line(/not ready: The worker of shop ended with code 1\. /)

    const told = await server.line(/^worker\[\d+\] error .*The worker of shop cannot start/)
    expect(told).to.contain(`cannot load the service module ${pathToFileURL(services).href}: TypeError: no database here`)
    expect(server.output).to.match(/caused by TypeError: no database here\nworker\[\d+\] error +at /)
  })
})

describe('A worker in a process of its own', () => {
  const scope = eachScope()

  it('ends its tasks and lets the process end by itself, with code 0', async () => {
    const app = new WorkerApp(scope())
    const gate = scope().file('gate')
    const server = app.server({ config: { worker: { spawn: false } }, calls: [{ task: 'hold', args: [app.notesFile, gate] }] })
    await server.line(/^sent/)
    const worker = app.worker()
    await app.noted(1)

    worker.kill('SIGTERM')
    await worker.line(/stops; 1 running task/)
    writeFileSync(gate, '')

    expect(await worker.exited).to.deep.equal({ code: 0, signal: null })
    expect(app.notes().map(({ text }) => text)).to.deep.equal(['begun', 'ended'])
  })

  it('ends with code 75, to be replaced, above its memory limit', async () => {
    const worker = new WorkerApp(scope()).worker({ worker: { maxMemory: 1 } })

    await worker.line(/uses \d+ MB of memory, more than worker\.maxMemory allows \(1 MB\)/)

    expect(await worker.exited).to.deep.equal({ code: 75, signal: null })
  })

  it('is refused a broker that no other process can share', async () => {
    const worker = new WorkerApp(scope()).worker({ broker: 'memory' })

    await worker.line(/CONFIG_INVALID/)

    expect(await worker.exited).to.deep.equal({ code: 1, signal: null })
    expect(existsSync(scope().file('data'))).to.equal(false)
  })
})
