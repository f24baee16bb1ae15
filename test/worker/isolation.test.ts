import { expect } from 'chai'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { allGone } from '../kit/process.js'
import { LaneApp } from '../kit/lane-app.js'
import { eachScope } from '../kit/temporary.js'

/** The tasks as they were written. */
const TYPESCRIPT = fileURLToPath(new URL('../../../test/fixtures/isolation/tasks.ts', import.meta.url))

describe('A task with a thread or process of its own', function () {
  this.timeout(120_000)
  const scope = eachScope()

  it('runs there as its caller, and the thread or process is used again', async () => {
    const app = new LaneApp(scope())
    // one at a time, so that the second finds the lane of the first at rest
    const worker = await app.worker({ worker: { concurrency: 1 } })

    for (const kind of ['inline', 'thread', 'process']) {
      await app.call(`where.${kind}`)
      await app.done('run 1', ['inline', 'thread', 'process'].indexOf(kind) + 1)
      await app.call(`where.${kind}`)
      await app.done('run 2', ['inline', 'thread', 'process'].indexOf(kind) + 1)
    }

    const [, here, , thread, , other] = app.deeds()
    expect(app.deeds().map(({ text }) => text)).to.deep.equal(['run 1', 'run 2', 'run 1', 'run 2', 'run 1', 'run 2'])
    expect(here).to.deep.include({ pid: worker.pid, threadId: 0, attempt: 1, user: { id: 'ada' } })
    expect(thread).to.deep.include({ pid: worker.pid, attempt: 1, user: { id: 'ada' } }).and.not.include({ threadId: 0 })
    expect(other).to.deep.include({ threadId: 0, attempt: 1, user: { id: 'ada' } }).and.not.include({ pid: worker.pid })
    worker.kill('SIGTERM')
    expect(await worker.exited).to.deep.equal({ code: 0, signal: null })
    await allGone([other?.pid ?? 0])
  })

  it('calls other tasks from there, and gets their results', async () => {
    const app = new LaneApp(scope())
    await app.worker()

    await app.call('callOn')
    const deeds = await app.done('answered an answer')

    expect(deeds.map(({ text }) => text)).to.deep.equal(['calls', 'answers', 'answered an answer'])
    expect(deeds[1]?.pid).not.to.equal(deeds[0]?.pid)
  })

  for (const [kind, how] of [['thread', 'exit'], ['thread', 'throw'], ['process', 'SIGKILL'], ['process', 'throw']] as const) {
    it(`ends its ${kind} and not the worker by ${how}, runs again, and is given up after the configured crashes`, async () => {
      const app = new LaneApp(scope())
      const worker = await app.worker({ maxCrashes: 2 })

      const id = await app.call(`die.${kind}`, how)
      const dead = await app.dead(1)
      await app.call('where.inline')
      const deeds = await app.done('run 1')

      expect(dead).to.have.length(1)
      expect(dead[0]).to.include({ id, task: `die.${kind}`, code: 'TASK_FAILED', crashes: 2 })
      expect(dead[0]?.reason).to.contain('2 of its runs ended with the death of their')
      expect(deeds.map(({ text, attempt }) => [text, attempt])).to.deep.equal([[`dies: ${how}`, 1], [`dies: ${how}`, 2], ['run 1', 1]])
      expect(deeds.at(-1)?.pid).to.equal(worker.pid)
    })
  }

  it('runs there as its limits allow', async () => {
    const app = new LaneApp(scope())
    await app.worker()

    await Promise.all([1, 2, 3].map(() => app.call('single.thread')))
    const deeds = await app.done(/^run/, 3)

    // one thread was enough, since no two ran at once
    expect(deeds.map(({ text, attempt }) => [text, attempt])).to.deep.equal([['run 1', 1], ['run 2', 1], ['run 3', 1]])
  })

  it('runs in TypeScript as it stands, where the worker does', async () => {
    const app = new LaneApp(scope(), { services: TYPESCRIPT })
    await app.worker({}, { flags: ['--import', import.meta.resolve('tsx')] })

    for (const kind of ['thread', 'process']) await app.call(`where.${kind}`)
    const deeds = await app.done('run 1', 2)

    expect(deeds).to.have.length(2)
  })

  it('is not blamed for an error that an earlier task left behind in its thread', async () => {
    const app = new LaneApp(scope())
    const worker = await app.worker({ maxCrashes: 1, worker: { concurrency: 1 } })

    const fuse = scope().file('fuse')
    await app.call('leaveBomb', fuse)
    await app.call('ignore.thread', app.gate)
    await app.done('begun')
    writeFileSync(fuse, '')
    await app.done('begun', 2)
    app.open()
    const deeds = await app.done('ended')

    const begun = deeds.filter(({ text }) => text === 'begun')
    expect(new Set(begun.map(({ threadId }) => threadId)).size).to.equal(2)
    expect(begun.map(({ attempt }) => attempt)).to.deep.equal([1, 1])
    expect(worker.output).to.contain('leaveBomb (id ').and.contain('left an error that nothing caught')
  })

  for (const kind of ['thread', 'process'] as const) {
    it(`is aborted in its ${kind} when the worker stops and its grace is over, and handed back`, async () => {
      const app = new LaneApp(scope())
      const worker = await app.worker({ worker: { grace: '50ms' } })
      await Promise.all([app.call(`heed.${kind}`, app.gate), app.call(`ignore.${kind}`, app.gate)])
      const begun = await app.done('begun', 2)

      worker.kill('SIGTERM')
      expect(await worker.exited).to.deep.equal({ code: 0, signal: null })
      await app.done('aborted: TASK_FAILED')
      await allGone(begun.map(({ pid }) => pid))
      app.open()
      await app.worker()
      const deeds = await app.done('ended', 2)

      expect(deeds.map(({ attempt }) => attempt)).to.deep.equal(deeds.map(() => 1))
      expect((await app.dead(0)).length).to.equal(0)
    })
  }

  it('is not left behind by a worker that is killed, even when it never yields', async () => {
    const app = new LaneApp(scope())
    const worker = await app.worker()
    await app.call('spin.process')
    const [deed] = await app.done('spins')

    worker.kill('SIGKILL')
    await worker.exited

    await allGone([deed?.pid ?? 0], 5_000)
  })

  it('logs through its worker, with the task', async () => {
    const app = new LaneApp(scope())
    const worker = await app.worker({ maxCrashes: 1 })

    const id = await app.call('die.process', 'throw')

    await worker.line(new RegExp(`^worker\\[${worker.pid}\\] error task=${id} user=ada The process of a task ends because die\\.process \\(id ${id}\\) left an error`))
  })

  it('has its process replaced above the memory limit, when it has ended', async () => {
    const app = new LaneApp(scope())
    const worker = await app.worker({ worker: { maxMemory: 400 } })

    await app.call('allocate', 500)
    const [first] = await app.done('allocated')
    await allGone([first?.pid ?? 0])
    await app.call('where.process')
    const deeds = await app.done('run 1')

    expect(deeds[1]?.pid).not.to.equal(first?.pid)
    expect(worker.output).not.to.contain('is replaced')
  })
})
