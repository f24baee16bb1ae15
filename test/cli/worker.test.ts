import { expect } from 'chai'
import { describeRabbit, freshNamespace, sharedRabbitNode } from '../kit/rabbitmq.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'
import { notesApplication } from './notes-application.js'
import { application, errand, startErrand } from './run-errand.js'

/** Nothing listens on that port. */
const AWAY = 'broker: { url: "amqp://127.0.0.1:1", connectTimeout: 200ms }'

describe('errand worker', function () {
  this.timeout(120_000)
  const scope = eachScope()

  it('runs what was waiting, stops on SIGTERM and exits with 0', async () => {
    const app = notesApplication(scope())
    await app.send('before')
    expect(await app.status())
      .to.contain('queue default: 1 waiting, 0 dead')
      .and.contain('no server of this host runs one')

    const worker = startErrand(scope(), app.cwd, 'worker', '--concurrency', '3', '--level', 'debug')
    expect(await app.lineOf('before')).to.equal(`before by ${worker.child.pid}`)
    expect(worker.output()).to.contain('3 at once')
    worker.child.kill('SIGTERM')

    expect(await worker.ended).to.equal(0)
    expect(await app.status()).to.contain('queue default: 0 waiting, 0 dead')
  })

  it('runs the tasks that its container declared when the configuration names no services', async () => {
    const app = notesApplication(scope(), '', 'container')
    await app.send('hello')

    const worker = startErrand(scope(), app.cwd, 'worker')

    expect(await app.lineOf('hello')).to.equal(`hello by ${worker.child.pid}`)
  })

  it('says which key is missing when nothing declares a task', async () => {
    const { code, errors } = await errand(scope(), application(scope(), 'withAsync: true\n'), 'worker')

    expect(code).to.equal(1)
    expect(errors).to.contain('SERVICE_LOAD_FAILED').and.contain('Set "services: [./services/*.ts]" in the configuration')
    expect(errors).not.to.contain('the server')
  })

  it('waits for a broker that is away, and stops on SIGTERM meanwhile', async () => {
    const app = notesApplication(scope(), AWAY)
    const worker = startErrand(scope(), app.cwd, 'worker')
    await until('the wait', () => worker.output().includes('The worker waits for its broker and tries again in 1 s'))

    worker.child.kill('SIGTERM')

    expect(await worker.ended, worker.errors()).to.equal(0)
    expect(worker.output()).not.to.contain('cannot start')
  })

  it('fails when its services cannot be loaded', async () => {
    const cwd = application(scope(), 'withAsync: true\nservices: [./none/*.js]\n')

    const { code, errors } = await errand(scope(), cwd, 'worker')

    expect(code).to.equal(1)
    expect(errors).to.contain('SERVICE_LOAD_FAILED')
  })

  it('with --keep-alive starts a killed worker again, and status sees it', async () => {
    const app = notesApplication(scope())
    const keeper = startErrand(scope(), app.cwd, 'worker', '--keep-alive')
    await app.send('first')
    const pid = await app.writerOf('first')
    expect(pid).not.to.equal(keeper.child.pid)
    const told = `1 consuming (process ${pid}), run by process ${keeper.child.pid}`
    await until('the status', async () => (await app.status()).includes(told))

    process.kill(pid, 'SIGKILL')
    await app.send('second')

    expect(await app.writerOf('second')).not.to.equal(pid)
    keeper.child.kill('SIGTERM')
    expect(await keeper.ended).to.equal(0)
  })

  it('with --keep-alive gives up on workers that keep dying, and exits with 1', async () => {
    const cwd = application(scope(), 'withAsync: true\nservices: [./none/*.js]\n')

    const { code, errors } = await errand(scope(), cwd, 'worker', '--keep-alive')

    expect(code).to.equal(1)
    expect(errors).to.match(/WORKER_CRASH_LOOP The worker of shop ended with code 1, for the 2nd time .* It is not started again/)
  })
})

describeRabbit('errand with RabbitMQ', function () {
  this.timeout(120_000)
  const scope = eachScope()

  it('finds the broker, counts what waits there, and runs it', async () => {
    const { url } = await sharedRabbitNode()
    const broker = `broker: { url: "${url}", namespace: ${freshNamespace()} }`
    const app = notesApplication(scope(), broker)
    await app.send('before')

    expect((await errand(scope(), app.cwd, 'doctor')).output)
      .to.match(/^✓ broker: rabbitmq$/m)
      .and.match(/^✓ round trip: [\d.]+ ms$/m)
    expect(await app.status()).to.contain('queue default: 1 waiting, 0 dead')
    const worker = startErrand(scope(), app.cwd, 'worker')

    expect(await app.lineOf('before')).to.equal(`before by ${worker.child.pid}`)
    worker.child.kill('SIGINT')
    expect(await worker.ended).to.equal(0)
  })
})
