import { expect } from 'chai'
import { fileURLToPath } from 'node:url'
import { all, chain, deadLetters, enqueue, tasks, withContext, type ConfigInput, type TaskHandle } from 'errand'
import { startProgram } from '../kit/process.js'
import { StatesApp } from '../kit/states-app.js'
import { eachScope, type Scope } from '../kit/temporary.js'
import { until } from '../kit/until.js'
import { codeOf } from './store-case.js'
import * as work from '../fixtures/composition/tasks.js'

type Case = (app: StatesApp, scope: Scope) => Promise<void>

const TASKS = fileURLToPath(new URL('../fixtures/composition/tasks.js', import.meta.url))
const MORTAL_WORKER = new URL('../fixtures/composition/mortal-worker.js', import.meta.url)

/** Tasks composed as messages, on a broker and a store between processes: registered as a mocha suite. */
export function compositionEndToEnd(name: string, config: () => Promise<ConfigInput>): void {
  describe(`Tasks one after the other, on ${name}`, function () {
    this.timeout(120_000)
    const scope = eachScope()
    for (const [title, { body, settings }] of Object.entries(cases)) {
      it(title, async () => {
        const app = new StatesApp(scope(), { ...(await config()), services: TASKS, ...settings })
        await app.start()
        await body(app, scope())
      })
    }
  })
}

const lettersOf = (app: StatesApp) =>
  chain(() => work.append(app.file, [], 'a'), (list) => work.append(app.file, list, 'b'), (list) => work.append(app.file, list, 'c'))

const allEnded = async (handles: readonly TaskHandle<unknown>[]): Promise<boolean> => {
  const states = await Promise.all(handles.map(async (handle) => (await handle.status()).state))
  return states.every((state) => state === 'completed')
}

const killedWorker = (when: string): Case => async (app, scope) => {
  const mortal = startProgram(scope, MORTAL_WORKER, { args: [JSON.stringify(app.workerSettings()), when] })
  await mortal.line(/^consuming/)
  const last = await lettersOf(app)
  expect(await mortal.exited).to.include({ signal: 'SIGKILL' })

  await Promise.all([app.worker(), app.worker()])

  expect(await last.result({ timeout: '60s' })).to.deep.equal(['a', 'b', 'c'])
  expect(app.lines()).to.deep.equal(['a', 'b', 'c'])
  expect((await last.status()).attempts).to.have.length(1)
}

const cases: Readonly<Record<string, { readonly body: Case; readonly settings?: ConfigInput }>> = {
  'run in order, each with the result of the one before': {
    body: async (app) => {
      await Promise.all([app.worker(), app.worker()])

      const last = await lettersOf(app)

      expect(await last.result()).to.deep.equal(['a', 'b', 'c'])
      expect(app.lines()).to.deep.equal(['a', 'b', 'c'])
    },
  },
  'run behind a step in a thread of its own': {
    body: async (app) => {
      await app.worker()

      const last = await chain(() => work.appendInThread(app.file, [], 'a'), (list) => work.append(app.file, list, 'b'))

      expect(await last.result({ timeout: '60s' })).to.deep.equal(['a', 'b'])
    },
  },
  'run once each although a worker is killed when a step has completed and the next is not sent yet': { body: killedWorker('before') },
  'run once each although a worker is killed when the next step was just sent': { body: killedWorker('after') },
  'wait for the last run of a step that is run again': {
    body: async (app) => {
      await app.worker()

      const { steps } = await chain(() => work.patient(app.file, app.gate), (text) => work.tell(app.file, text))
      await app.ran(1)
      app.open()
      await steps[1]?.result()

      const lines = app.lines()
      expect(lines.at(-1)).to.equal('at last')
      expect(lines.slice(0, -1)).to.deep.equal(lines.slice(0, -1).map((_, run) => `run ${run + 1}`))
    },
  },
  'run a step behind another again, until it does not fail': {
    body: async (app) => {
      await app.worker()

      const last = await chain(() => work.append(app.file, [], 'a'), () => work.patient(app.file, app.gate), (text) => work.tell(app.file, text))
      await app.ran(2)
      app.open()
      await last.result()

      expect(app.lines().slice(0, 2)).to.deep.equal(['a', 'run 1'])
      expect(app.lines().filter((line) => line === 'at last')).to.have.length(1)
    },
  },
  'tell their callers of results and failures also where nothing is kept of how they stand': {
    settings: { store: 'off' },
    body: async (app) => {
      await app.worker()

      const last = await lettersOf(app)
      const failed = await chain(() => work.flaky(app.file, app.gate), (text) => work.tell(app.file, text))

      expect(await last.result()).to.deep.equal(['a', 'b', 'c'])
      expect(await codeOf(failed.result())).to.equal('STEP_FAILED')
      expect(await codeOf(all([() => work.count(1)], (counts) => work.gather(app.file, 'none', counts)))).to.equal('CALL_INVALID')
    },
  },
  'end with the step that failed for good, and the task for failures runs': {
    body: async (app) => {
      await app.worker()

      await enqueue(() => work.flaky(app.file, app.gate), { then: (text) => work.tell(app.file, text), onFailed: (error) => work.tell(app.file, error) })

      expect(await app.ran(5)).to.deep.equal(['run 1', 'run 2', 'run 3', 'run 4', 'RangeError: not yet'])
    },
  },
  'go on behind a step that is sent again from the dead letters': {
    body: async (app) => {
      await app.worker()
      const last = await chain(() => work.flaky(app.file, app.gate), (text) => work.tell(app.file, text))
      await app.reached(last.id, 'failed')
      app.open()

      const { replayed } = await until('a dead letter', async () => {
        const result = await deadLetters.replay({})
        return result.replayed > 0 && result
      })

      expect(replayed).to.equal(1)
      expect(await app.ran(6)).to.deep.equal(['run 1', 'run 2', 'run 3', 'run 4', 'run 1', 'at last'])
      for (const { id } of last.steps) await app.reached(id, 'completed')
    },
  },
  'fail, and are not run again, behind a worker that was killed when it had sent them': {
    body: async (app, scope) => {
      const mortal = startProgram(scope, MORTAL_WORKER, { args: [JSON.stringify(app.workerSettings()), 'after'] })
      await mortal.line(/^consuming/)
      const last = await chain(() => work.append(app.file, [], 'a'), () => work.flaky(app.file, app.gate))
      await mortal.exited
      await app.worker()

      await app.reached(last.id, 'failed')
      await until('nothing waits', async () => (await app.waiting()) === 0)

      // the worker may have had it in its hands when it was killed: that counts as an attempt, and the first run is the second then
      expect(app.lines()[0]).to.equal('a')
      expect(app.lines()).to.have.length(5)
    },
  },
  'end with a step that keeps killing its worker': {
    settings: { maxCrashes: 1 },
    body: async (app) => {
      const first = await app.worker()
      const last = await chain(() => work.deadly(), (text) => enqueue(() => work.tell(app.file, text), { onFailed: (error) => work.tell(app.file, error) }))
      await first.exited
      await app.worker()

      expect(await app.ran(1)).to.have.length(1)
      expect(app.lines()[0]).to.match(/^ErrandError: tellOf was not run: a step before it, deadlyStep /)
      expect((await last.status()).error).to.include({ code: 'STEP_FAILED' })
    },
  },
  'end with a step that waited too long': {
    settings: { expires: '1s' },
    body: async (app) => {
      const last = await lettersOf(app)
      await new Promise((resolve) => setTimeout(resolve, 1_100)) // its age is what counts
      await app.worker()

      const { error } = await app.reached(last.id, 'failed')
      expect(error).to.include({ code: 'STEP_FAILED' })
      expect(app.lines()).to.deep.equal([])
    },
  },
  'are lost nowhere, and completed once each, while workers are killed all the time': {
    settings: { maxCrashes: 1_000 },
    body: async (app) => {
      const numbers = Array.from({ length: 6 }, (_, number) => number)
      const chains = await Promise.all(Array.from({ length: 20 }, () => lettersOf(app)))
      const groups = await Promise.all(numbers.map((group) => all(numbers.map((number) => () => work.count(number)), (results) => work.gather(app.file, `${group}`, results))))
      const handles = [...chains.flatMap(({ steps }) => steps), ...groups]

      for (let kills = 0; kills < 4; kills++) {
        const [victim] = await Promise.all([app.worker(), app.worker()])
        const before = app.lines().length
        await until('something ran, or all has', async () => app.lines().length > before || (await allEnded(handles)))
        victim.kill('SIGKILL')
        await victim.exited
      }

      for (const { steps } of chains) expect(await steps.at(-1)?.result({ timeout: '60s' })).to.deep.equal(['a', 'b', 'c'])
      for (const group of groups) expect((await group.result({ timeout: '60s' })).numbers).to.deep.equal(numbers)
      for (const handle of handles) {
        const { attempts } = await handle.status()
        // two messages of one call would have two runs of one number
        expect(new Set(attempts.map(({ attempt }) => attempt)).size).to.equal(attempts.length)
      }
    },
  },
  'are fifty groups of ten, each followed once by one task with all results in order': {
    body: async (app) => {
      await Promise.all([app.worker(), app.worker()])
      const numbers = Array.from({ length: 10 }, (_, number) => number)
      const groups = Array.from({ length: 50 }, (_, group) => group)

      const handles = await Promise.all(
        groups.map((group) =>
          withContext({ user: { id: `user ${group}` } }, () =>
            all(numbers.map((number) => () => work.count(number + 10 * group)), (results) => work.gather(app.file, `group ${group}`, results)),
          ),
        ),
      )
      const gathered = await Promise.all(handles.map((handle) => handle.result({ timeout: '80s' })))

      expect(gathered).to.deep.equal(groups.map((group) => ({ numbers: numbers.map((number) => number + 10 * group), user: `user ${group}` })))
      expect([...app.lines()].toSorted()).to.deep.equal(groups.map((group) => `group ${group}`).toSorted())
      expect((await tasks.search({ task: 'gatherAll', states: ['completed'], limit: 500 })).tasks).to.have.length(50)
      // what is written down to tell messages apart is no task
      expect((await tasks.search({ states: ['cancelled'] })).tasks).to.deep.equal([])
    },
  },
}
