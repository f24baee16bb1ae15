import { expect } from 'chai'
import { allGone, endWithTest, isAlive } from '../kit/process.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'
import { notesApplication, type NotesApplication } from './notes-application.js'
import { application, errand, startErrand } from './run-errand.js'

const consuming = (app: NotesApplication): Promise<unknown> =>
  until('a worker that consumes', async () => (await app.status()).includes('consuming (process'))

describe('errand restart', function () {
  this.timeout(120_000)
  const scope = eachScope()

  it('replaces the workers of a server and is done when the new ones consume; the server stays', async () => {
    const app = notesApplication(scope(), 'worker: { processes: 2 }')
    const server = app.serve()
    await consuming(app)
    await app.send('before')
    const old = await app.writerOf('before')

    const { code, output } = await errand(scope(), app.cwd, 'restart')
    const status = await app.status()

    expect(output).to.match(/^The 2 workers of shop \(development\) were replaced: processes \d+, \d+ instead of \d+, \d+\.\n$/)
    expect(code).to.equal(0)
    expect(isAlive(old)).to.equal(false)
    const [first, second] = /replaced: processes (\d+), (\d+)/.exec(output)?.slice(1) ?? []
    expect(status).to.contain(`2 consuming (process ${first}, process ${second}), run by process ${server.child.pid}`)
  })

  it('kills a worker that never yields, after its grace period', async () => {
    const app = notesApplication(scope(), 'worker: { grace: 50ms }')
    startErrand(scope(), app.cwd, 'worker', '--keep-alive')
    await app.send('spinning', 'spin')
    const old = await app.writerOf('spinning')
    endWithTest(scope(), [old])

    const { code, output } = await errand(scope(), app.cwd, 'restart')
    endWithTest(scope(), [Number(/process (\d+)/.exec(output)?.[1])])

    expect(output).to.contain(`instead of ${old}.`)
    expect(code).to.equal(0)
    expect(isAlive(old)).to.equal(false)
  })

  it('says that nothing runs, and that nothing can where withAsync is false', async () => {
    const idle = await errand(scope(), application(scope(), 'withAsync: true\n'), 'restart')
    const off = await errand(scope(), application(scope(), 'withAsync: false\n'), 'restart')

    expect([idle.code, off.code]).to.deep.equal([1, 1])
    expect(idle.errors).to.contain('Nothing on this host runs workers of shop (development)')
    expect(off.errors).to.contain('because withAsync is false')
  })
})

describe('errand stop', function () {
  this.timeout(120_000)
  const scope = eachScope()

  it('ends what `errand worker --keep-alive` runs, and is done when all of it has ended', async () => {
    const app = notesApplication(scope())
    const keeper = startErrand(scope(), app.cwd, 'worker', '--keep-alive')
    await consuming(app)
    await app.send('first')
    const worker = await app.writerOf('first')

    const { code, output } = await errand(scope(), app.cwd, 'stop')

    expect(output).to.equal(`Process ${keeper.child.pid} stopped the workers of shop (development), and itself.\n`)
    expect(code).to.equal(0)
    expect(isAlive(worker)).to.equal(false)
    expect(await keeper.ended).to.equal(0)
  })

  it('says so when another process stood by and runs the workers now', async () => {
    const app = notesApplication(scope())
    const keeper = startErrand(scope(), app.cwd, 'worker', '--keep-alive')
    await consuming(app)
    const second = startErrand(scope(), app.cwd, 'worker', '--keep-alive', '--level', 'debug')
    await until('the second to stand by', () => second.errors().includes('stands by'))

    const { code, errors } = await errand(scope(), app.cwd, 'stop')

    expect(code).to.equal(1)
    expect(errors).to.contain(`Process ${keeper.child.pid} and its workers stopped; process ${second.child.pid}, which stood by,`)
    expect(await keeper.ended).to.equal(0)
  })

  it('leaves the workers of a server alone and says how they are stopped', async () => {
    const app = notesApplication(scope())
    const server = app.serve()
    await consuming(app)

    const { code, errors } = await errand(scope(), app.cwd, 'stop')

    expect(code).to.equal(1)
    expect(errors).to.contain(`A server runs the workers of shop (development), process ${server.child.pid}: they stop with it`)
    expect(await app.status()).to.contain(`run by process ${server.child.pid}`)
    const worker = Number(/consuming \(process (\d+)\)/.exec(await app.status())?.[1])
    server.child.kill('SIGTERM')
    expect(await server.ended).to.equal(0)
    await allGone([worker])
  })

  it('says that nothing runs', async () => {
    const { code, errors } = await errand(scope(), application(scope(), 'withAsync: true\n'), 'stop')

    expect(code).to.equal(1)
    expect(errors).to.contain('Nothing on this host runs workers of shop (development)')
  })
})
