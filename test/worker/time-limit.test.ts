import { expect } from 'chai'
import { LaneApp } from '../kit/lane-app.js'
import { allGone } from '../kit/process.js'
import { eachScope } from '../kit/temporary.js'

describe('The time limit of a run', function () {
  this.timeout(120_000)
  const scope = eachScope()

  it('aborts its signal, and one that heeds it has failed, is tried again, and needs no new worker', async () => {
    const app = new LaneApp(scope())
    const worker = await app.worker({ timeLimitGrace: '10m' })

    await app.call('limited.heed', app.gate)
    const [letter] = await app.dead(1)
    await app.call('where.inline')
    const deeds = await app.done('run 1')

    expect(letter).to.include({ code: 'TASK_TIMEOUT', attempt: 2, crashes: 0 })
    expect(letter?.reason).to.contain('limited.heed did not end within its time limit of 100 ms')
    expect(deeds.map(({ text }) => text)).to.deep.equal(['begun', 'aborted: TASK_TIMEOUT', 'begun', 'aborted: TASK_TIMEOUT', 'run 1'])
    expect(new Set(deeds.map(({ pid }) => pid))).to.deep.equal(new Set([worker.pid]))
  })

  it('of the configuration holds for tasks that say nothing', async () => {
    const app = new LaneApp(scope())
    await app.worker({ timeLimit: '100ms', timeLimitGrace: '10m' })

    await Promise.all(['inline', 'thread', 'process'].map((kind) => app.call(`heed.${kind}`, app.gate)))
    const letters = await app.dead(3)

    expect(letters.map(({ task }) => task).toSorted()).to.deep.equal(['heed.inline', 'heed.process', 'heed.thread'])
    expect(new Set(letters.map(({ code }) => code))).to.deep.equal(new Set(['TASK_TIMEOUT']))
  })

  for (const task of ['limited.thread', 'limited.process', 'limited.spin']) {
    it(`ends the thread or process of ${task}, which goes on in spite of it, and the worker stays`, async () => {
      const app = new LaneApp(scope())
      const worker = await app.worker({ timeLimitGrace: '100ms' })
      await app.call('ignore.inline', app.gate)

      await app.call(task, app.gate)
      const [letter] = await app.dead(1)
      const ran = app.deeds().find(({ id }) => id === letter?.id)
      if (ran?.pid !== worker.pid) await allGone([ran?.pid ?? 0])
      app.open()
      const deeds = await app.done('ended')

      expect(letter).to.include({ code: 'TASK_TIMEOUT', attempt: 1, crashes: 0 })
      expect(deeds.filter(({ text }) => text === 'ended').map(({ pid }) => pid)).to.deep.equal([worker.pid])
      expect(deeds.some(({ id, text }) => id === letter?.id && text === 'ended')).to.equal(false)
    })
  }

  it('has the worker replaced, after its other tasks, when a body goes on in it', async () => {
    const app = new LaneApp(scope())
    const server = app.server({ timeLimitGrace: '100ms' })
    await app.call('ignore.inline', app.gate)
    const [neighbour] = await app.done('begun')

    const stuck = await app.call('limited.inline', scope().file('never'))
    const [letter] = await app.dead(1)
    await server.line(/cannot end limited\.inline, which goes on after its time limit/)
    const later = await app.call('where.inline')
    app.open()
    const deeds = await app.done('run 1')

    expect(letter).to.include({ id: stuck, code: 'TASK_TIMEOUT', attempt: 1, crashes: 0 })
    expect(deeds.map(({ text }) => text)).to.deep.equal(['begun', 'begun', 'ended', 'run 1'])
    expect(deeds[2]).to.include({ id: neighbour?.id, pid: neighbour?.pid, attempt: 1 })
    expect(deeds[3]).to.include({ id: later, attempt: 1 }).and.not.include({ pid: neighbour?.pid })
    await server.line(/asked to be replaced; a new one starts/)
    expect(server.output).not.to.contain('the next one starts in')
  })
})
