import { expect } from 'chai'
import { appendFileSync } from 'node:fs'
import { background, checkStatusOrBegin, enqueue, getOrRun, tasks, type ConfigInput, type TaskHandle } from 'errand'
import { StatesApp } from '../kit/states-app.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'
import { codeOf } from './store-case.js'
import { processCases, type KeyCases } from './keys-process-cases.js'
import * as work from '../fixtures/states/tasks.js'

/** One task for a key, on a broker and a store between processes: registered as a mocha suite. */
export function keysEndToEnd(name: string, config: () => Promise<ConfigInput>): void {
  describe(`One task for a key, on ${name}`, function () {
    this.timeout(120_000)
    const scope = eachScope()
    for (const [title, body] of Object.entries({ ...handles, ...processCases, ...crashes })) {
      it(title, async () => {
        const app = new StatesApp(scope(), await config())
        await app.start()
        await body(app, scope())
      })
    }
  })
}

const counted = (app: StatesApp, key: string): Promise<TaskHandle<number>> => background(work, { key }).counted(app.file, app.gate)

/** What a server says of one of its calls. */
interface Called {
  readonly id: string
  readonly isNew: boolean
  readonly value: number
}

const handles: KeyCases = {
  'is started by one of fifty simultaneous calls from four processes, and all get its handle and value (item 91)': async (app, scope) => {
    await app.worker()
    const calls = scope.file('calls')
    const callers = [13, 13, 12, 12].map((count) => app.caller('report 2026', calls, count))
    for (const caller of callers) await caller.line(/^ready/)

    appendFileSync(calls, '')
    for (const caller of callers) await caller.line(/^called/)
    app.open()
    // written by the callers
    const all = (await Promise.all(callers.map((caller) => caller.line(/^\[/)))).flatMap((line) => JSON.parse(line) as Called[])

    expect(all).to.have.length(50)
    expect(new Set(all.map(({ id }) => id)).size).to.equal(1)
    expect(all.filter(({ isNew }) => isNew)).to.have.length(1)
    expect(all.every(({ value }) => value === 1)).to.equal(true)
    expect(app.lines()).to.deep.equal(['ran'])
  },

  'is joined while it waits, is put off, runs and is retried, and started again after its end': async (app) => {
    const later = await background(work, { key: 'later', delay: '1h' }).note(app.file)
    expect((await background(work, { key: 'later' }).note(app.file)).id).to.equal(later.id)
    const first = await counted(app, 'k')
    expect(await counted(app, 'k')).to.include({ id: first.id, isNew: false, task: 'counted' })
    await app.worker()
    await app.reached(first.id, 'running')
    expect((await enqueue(() => work.counted(app.file, app.gate), { key: 'k' })).id).to.equal(first.id)
    const flaky = await background(work, { key: 'f' }).flaky(app.gate)
    await until('a second run', async () => (await flaky.status()).attempt >= 2)
    expect((await background(work, { key: 'f' }).flaky(app.gate)).id).to.equal(flaky.id)

    app.open()
    await app.reached(first.id, 'completed')
    const second = await counted(app, 'k')

    expect(first.isNew && second.isNew).to.equal(true)
    expect(second.id).not.to.equal(first.id)
    expect(await second.result()).to.equal(2)
  },

  'is joined after it completed where that is asked for, with its value': async (app) => {
    app.open()
    await app.worker()
    const first = await counted(app, 'k')
    await first.result()
    await app.reached(first.id, 'completed')

    const joined = await background(work, { key: 'k', join: 'completed' }).counted(app.file, app.gate)

    expect(joined).to.include({ id: first.id, isNew: false })
    expect(await joined.result()).to.equal(1)
    expect(app.lines()).to.deep.equal(['ran'])
  },

  'is not joined after it was cancelled': async (app) => {
    const first = await counted(app, 'k')
    await first.cancel()
    expect(await counted(app, 'k')).to.include({ isNew: true })
  },

  'cannot be joined by a call of another task, which would get its value': async (app) => {
    await counted(app, 'k')
    expect(await codeOf(background(work, { key: 'k' }).note(app.file))).to.equal('CALL_INVALID')
    expect((await tasks.search({ task: 'note' })).tasks).to.deep.equal([])
  },

  'cannot be had of a task that is not tracked, nor with a key that is no key': async (app) => {
    expect(await codeOf(background(work, { key: 'k' }).untracked(app.file))).to.equal('CALL_INVALID')
    for (const key of ['', 'x'.repeat(513), 'schedule:test:nightly']) {
      expect(await codeOf(enqueue(() => work.note(app.file), { key }))).to.equal('OPTION_INVALID')
    }
    expect(await codeOf(enqueue(() => work.note(app.file), { join: 'completed' }))).to.equal('OPTION_INVALID')
  },
}

/** More than twice the time that these tests give a confirm. */
const PATIENCE_MS = 60_000

const crashes: KeyCases = {
  'is started by another caller although one was killed between taking the key and sending': async (app) => {
    app.open()
    await app.worker()
    const mortal = app.mortalCaller('k')
    expect((await mortal.exited).signal).to.equal('SIGKILL')

    const task = await until('a task that was started', async () => {
      const called = await counted(app, 'k')
      return called.isNew && called
    }, PATIENCE_MS)

    expect(await task.result()).to.equal(1)
    expect(await codeOf(checkStatusOrBegin(work.counted, { args: [app.file, app.gate], key: '' }))).to.equal('OPTION_INVALID')
    expect(await getOrRun(work.counted, { args: [app.file, app.gate], key: 'k' })).to.include({ kind: 'completed', value: 1 })
  },
}
