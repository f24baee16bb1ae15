import { expect } from 'chai'
import { newId } from '#src/core/clock.js'
import { ERROR, type StoreCases } from './store-case.js'

export const lifeCases: StoreCases = {
  'a task nobody spoke of is unknown, by id and by key': async (c) => {
    expect(await c.store.find({ id: newId() })).to.equal(undefined)
    expect(await c.store.find({ key: 'nobody' })).to.equal(undefined)
  },

  'what was said of a call is read back by id, by key, and on another connection': async (c) => {
    const [now, parentId] = [c.clock.now(), newId()]
    const more = { owner: 'ada', tenant: 'acme', tags: ['big', 'late'], key: 'order 7', parentId, expiresAt: now + 60_000 }
    const id = await c.announce(more)

    const record = await c.known(id, await c.second())

    expect(record).to.include({ id, task: 'Shop.buy', queue: 'default', state: 'queued', owner: 'ada', tenant: 'acme', key: 'order 7', parentId })
    expect(record.tags).to.deep.equal(['big', 'late'])
    expect(record.progress).to.deep.equal({ value: -1 })
    expect(await c.store.find({ key: 'order 7' })).to.deep.equal(record)
  },

  'each state can be told from the others': async (c) => {
    const make = (): Promise<string> => c.announce()
    const [queued, running, retrying, completed, failed, cancelled] = await Promise.all([make(), make(), make(), make(), make(), make()])
    const scheduled = await c.announce({ dueAt: c.clock.now() + 60_000 })
    await c.store.record([c.start(running), c.start(retrying), c.retry(retrying), c.start(completed), c.complete(completed)])
    await c.store.record([c.start(failed), c.fail(failed), { kind: 'cancelled', id: cancelled, at: c.clock.now() }])

    const ids = { queued, scheduled, running, retrying, completed, failed, cancelled, unknown: newId() }
    for (const [state, id] of Object.entries(ids)) expect(await c.state(id)).to.equal(state)
  },

  'a scheduled task counts as queued from when it is due': async (c) => {
    const id = await c.announce({ dueAt: c.clock.now() + 60_000 })
    expect(await c.state(id)).to.equal('scheduled')

    c.clock.forward(60_000)

    expect(await c.state(id)).to.equal('queued')
    const { records } = await c.store.search({ states: ['queued'] })
    expect(records.map((record) => record.id)).to.deep.equal([id])
    expect((await c.store.search({ states: ['scheduled'] })).records).to.deep.equal([])
  },

  'a result that can be read once is taken by one reader only, and nothing is known of the task then': async (c) => {
    const [id, other] = [await c.announce({ isReadOnce: true }), await c.announce()]
    await c.store.record([c.start(id), c.complete(id), c.start(other), c.complete(other)])

    const stores = [c.store, await c.second()]
    const taken = await Promise.all(stores.map((store) => store.record([{ kind: 'taken', id, at: c.clock.now() }])))

    expect(taken.map(([recorded]) => recorded?.applied)).to.have.members([true, false])
    expect(await c.state(id)).to.equal('unknown')
    const [untaken] = await c.store.record([{ kind: 'taken', id: other, at: c.clock.now() }])
    expect(untaken).to.deep.equal({ applied: false, state: 'completed' })
  },

  'what failed and is sent once more waits again, runs again from its first attempt, and completes; its runs stay': async (c) => {
    const id = await c.announce()
    await c.store.record([c.start(id), c.retry(id), c.start(id, c.run(2)), c.fail(id, c.run(2))])
    c.clock.forward(1000)

    const at = c.clock.now()
    const [revived] = await c.store.record([{ kind: 'revived', id, at, expiresAt: at + 60_000 }])
    expect(revived).to.deep.equal({ applied: true, state: 'queued' })
    const waiting = await c.known(id, await c.second())
    expect(waiting).to.include({ state: 'queued', changedAt: at, expiresAt: at + 60_000 })
    expect(waiting).to.not.have.any.keys('error', 'endedAt')

    c.clock.forward(1000)
    const run = c.run(1, c.clock.now())
    const [started, completed] = await c.store.record([
      { kind: 'started', id, at: c.clock.now(), run },
      { kind: 'completed', id, at: c.clock.now(), run },
    ])
    expect([started?.state, completed?.state]).to.deep.equal(['running', 'completed'])
    expect((await c.known(id)).runs.map(({ attempt, outcome }) => [attempt, outcome])).to.deep.equal([[1, 'retrying'], [2, 'failed'], [1, 'completed']])
  },

  'what ended otherwise, and what nobody knows, cannot be sent once more': async (c) => {
    const [completed, cancelled] = [await c.announce(), await c.announce()]
    await c.store.record([c.start(completed), c.complete(completed), { kind: 'cancelled', id: cancelled, at: c.clock.now() }])

    for (const [id, state] of [[completed, 'completed'], [cancelled, 'cancelled'], [newId(), 'unknown']] as const) {
      const [revived] = await c.store.record([{ kind: 'revived', id, at: c.clock.now() }])
      expect(revived).to.deep.equal({ applied: false, state })
    }
  },

  'what is sent once more although its failure was never written down runs again, and a failure that comes late changes nothing': async (c) => {
    const id = await c.announce()
    const last = c.run(3)
    await c.store.record([c.start(id, last)])
    c.clock.forward(1000)

    const [revived] = await c.store.record([{ kind: 'revived', id, at: c.clock.now() }])
    expect(revived).to.deep.equal({ applied: true, state: 'queued' })
    const [late] = await c.store.record([c.fail(id, last)])
    expect(late).to.deep.equal({ applied: false, state: 'queued' })
    c.clock.forward(1000)
    const run = c.run(1, c.clock.now())
    const [started, failed] = await c.store.record([{ kind: 'started', id, at: c.clock.now(), run }, c.fail(id, run)])
    expect([started?.state, failed?.state]).to.deep.equal(['running', 'failed'])
  },

  'a call that was sent and failed by itself is not revived by another message of the call before it': async (c) => {
    const sendingUntil = c.clock.now() + 60_000
    const [sent, unsent] = [await c.announce({ sendingUntil }), await c.announce({ sendingUntil })]
    const at = c.clock.now()
    await c.store.record([{ kind: 'sent', id: sent, at }, c.start(sent), c.fail(sent), { kind: 'failed', id: unsent, at, error: ERROR }])

    const [first, second] = await c.store.record([{ kind: 'revived', id: sent, at, sendingUntil }, { kind: 'revived', id: unsent, at, sendingUntil }])

    expect([first, second]).to.deep.equal([{ applied: false, state: 'failed' }, { applied: true, state: 'queued' }])
  },

  'progress is seen by others at once, with its data, and a completed task is at its whole': async (c) => {
    const [id, other] = [await c.announce(), await c.second()]
    await c.store.record([c.start(id), c.progress(id, 1, 0, '{"hello":"àèìòù"}')])
    expect((await c.known(id, other)).progress).to.deep.equal({ value: 0, data: '{"hello":"àèìòù"}' })

    await c.store.record([c.complete(id)])

    expect((await c.known(id, other)).progress.value).to.equal(100)
  },

  'a memo is kept from the call to the end, also where a run was heard of before the call': async (c) => {
    const memo = '{"order":"\u0000 àèìòù \ud83d\ude00"}'
    const [id, late] = [await c.announce({ memo }), newId()]
    await c.store.record([c.start(late), c.start(id), c.progress(id, 1, 5), c.complete(id, '1')])
    await c.announce({ id: late, memo })

    const other = await c.second()
    expect(await c.known(id, other)).to.include({ memo, state: 'completed', result: '1' })
    expect(await c.known(late, other)).to.include({ memo, state: 'running' })
    expect((await other.search({})).records.map((record) => record.memo)).to.deep.equal([memo, memo])
  },

  'what a task said for people is kept when it has failed, and begins anew with another run': async (c) => {
    const [id, other] = [await c.announce(), await c.second()]
    const said = { value: 5, message: 'Frying.', link: '/fries/2' }
    await c.store.record([c.start(id), { kind: 'progressed', id, at: c.clock.now(), run: c.run(), step: 1, progress: said }, c.retry(id)])
    expect((await c.known(id, other)).progress).to.deep.equal(said)

    await c.store.record([c.start(id, c.run(2))])
    expect((await c.known(id, other)).progress).to.deep.equal({ value: -1 })
    await c.store.record([{ kind: 'progressed', id, at: c.clock.now(), run: c.run(2), step: 1, progress: said }, c.fail(id, c.run(2))])

    expect((await c.known(id, other)).progress).to.deep.equal(said)
  },

  'progress 100 does not complete a task': async (c) => {
    const id = await c.announce()
    await c.store.record([c.start(id), c.progress(id, 1, 100)])
    expect(await c.state(id)).to.equal('running')
  },

  'a result is read back with any character in it, an error with its name, message and code': async (c) => {
    const result = '"\0 \ud83d\ude00 \ud800 \u2028 \\u0000 è"'
    const [done, broken] = [await c.announce(), await c.announce()]
    await c.store.record([c.start(done), c.complete(done, result), c.start(broken), c.fail(broken)])

    expect(await c.known(done)).to.include({ state: 'completed', result }).and.not.to.have.property('error')
    expect(await c.known(broken)).to.deep.include({ state: 'failed', error: ERROR }).and.not.to.have.property('result')
  },

  'nothing of a list is written where one change of it is refused': async (c) => {
    const id = newId()
    const call = { kind: 'announced', ...c.announcement({ id }) } as const
    await c.store.record([call, { ...call, id: '' }]).catch(() => undefined)
    expect(await c.state(id)).to.equal('unknown')
  },

  'a closed store refuses with STORE_CLOSED, and closing it again is nothing': async (c) => {
    await c.store.close()
    await c.store.close()
    const code = await c.store.find({ id: newId() }).then(() => 'found', (error: { code?: string }) => error.code)
    expect(code).to.equal('STORE_CLOSED')
  },

  'what was being recorded when the store closed is there': async (c) => {
    const other = await c.second()
    const ids = Array.from({ length: 20 }, newId)
    const all = Promise.all(ids.map((id) => c.announce({ id })))
    await c.store.close()
    await all
    for (const id of ids) expect(await c.state(id, other)).to.equal('queued')
  },
}

export const lateCases: StoreCases = {
  'of all reports that a task completed, one is the first': async (c) => {
    const id = await c.announce()
    const report = () => c.store.record([c.complete(id, '1')])
    const answers = (await Promise.all(Array.from({ length: 20 }, report))).flat()
    expect(answers.filter(({ applied }) => applied)).to.have.lengthOf(1)
    expect(answers.every(({ state }) => state === 'completed')).to.equal(true)
  },

  'a task that ended stays as it is, whatever comes after': async (c) => {
    const ends = { completed: c.complete, failed: c.fail, cancelled: (id: string) => ({ kind: 'cancelled', id, at: c.clock.now() }) as const }
    for (const [state, end] of Object.entries(ends)) {
      const id = await c.announce()
      await c.store.record([c.start(id), end.call(c, id)])
      const before = await c.known(id)
      const late = [c.start(id), c.start(id, c.run(2)), c.progress(id, 9, 9), c.retry(id), c.complete(id, 'x'), c.fail(id)]
      const answers = await c.store.record(late)
      expect(answers.map(({ applied }) => applied)).to.deep.equal(late.map(() => false))
      expect(await c.known(id)).to.deep.equal(before)
      expect(before.state).to.equal(state)
    }
  },

  'a call that is announced after its run began keeps its state, and gets its name, key and owner': async (c) => {
    const id = newId()
    await c.store.record([c.start(id)])
    await c.announce({ id, key: 'late', owner: 'ada' })
    expect(await c.store.find({ key: 'late' })).to.include({ id, state: 'running', task: 'Shop.buy', owner: 'ada' })
  },

  'a start that comes again after the task was put off does not turn it back to running': async (c) => {
    const id = await c.announce()
    await c.store.record([c.start(id), c.retry(id)])
    const [answer] = await c.store.record([c.start(id)])
    expect(answer).to.deep.equal({ applied: false, state: 'retrying' })
  },

  'progress that comes after a later report is passed over': async (c) => {
    const id = await c.announce()
    await c.store.record([c.start(id), c.progress(id, 2, 50), c.progress(id, 1, 10), c.progress(id, 2, 20)])
    expect((await c.known(id)).progress.value).to.equal(50)
  },

  'what an earlier run says no longer counts, except that it completed': async (c) => {
    const id = await c.announce()
    await c.store.record([c.start(id), c.start(id, c.run(2)), c.fail(id), c.retry(id), c.progress(id, 1, 10)])
    expect(await c.known(id)).to.deep.include({ state: 'running', progress: { value: -1 } })

    await c.store.record([c.complete(id, '7')])
    expect(await c.known(id)).to.include({ state: 'completed', result: '7' })
  },
}

export const runCases: StoreCases = {
  'the timeline has every run, with its worker, times, outcome and error': async (c) => {
    const id = await c.announce()
    await c.store.record([c.start(id), c.retry(id), c.start(id, c.run(2)), c.complete(id, '1', c.run(2))])
    const { runs } = await c.known(id)
    expect(runs.map(({ attempt, outcome }) => [attempt, outcome])).to.deep.equal([[1, 'retrying'], [2, 'completed']])
    expect(runs[0]).to.deep.include({ startedAt: 1, worker: { host: 'here', pid: 1 }, error: ERROR }).and.to.have.property('endedAt')
  },

  'a run whose process died stands in the timeline without an outcome': async (c) => {
    const id = await c.announce()
    await c.store.record([c.start(id), c.start(id, c.run(2))])
    expect((await c.known(id)).runs.map(({ outcome }) => outcome)).to.deep.equal([undefined, undefined])
  },

  'a task handed back is queued, and runs again under the same number': async (c) => {
    const id = await c.announce()
    await c.store.record([c.start(id), { kind: 'released', id, at: 2, run: c.run() }])
    expect(await c.state(id)).to.equal('queued')
    await c.store.record([c.start(id, c.run(1, 5))])
    expect(await c.state(id)).to.equal('running')
    expect((await c.known(id)).runs).to.have.lengthOf(2)
  },

  'of very many runs the last hundred are kept': async (c) => {
    const id = await c.announce()
    await c.store.record(Array.from({ length: 120 }, (_, index) => c.start(id, c.run(index + 1))))
    const { runs } = await c.known(id)
    expect([runs.length, runs[0]?.attempt, runs.at(-1)?.attempt]).to.deep.equal([100, 21, 120])
  },
}
