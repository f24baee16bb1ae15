import { expect } from 'chai'
import { background, tasks, withContext, type ConfigInput, type TaskStatus } from 'errand'
import { eachScope } from '../kit/temporary.js'
import { StatesApp } from '../kit/states-app.js'
import { until } from '../kit/until.js'
import * as work from '../fixtures/states/tasks.js'

/** As far as another process can tell. */
type Case = (app: StatesApp) => Promise<void>
type Cases = Readonly<Record<string, Case>>

const CASE_TIMEOUT_MS = 120_000

/** How tasks stand, on a broker and a store between processes: registered as a mocha suite. */
export function statesEndToEnd(name: string, config: () => Promise<ConfigInput>): void {
  describe(`How a task stands, on ${name}`, function () {
    this.timeout(CASE_TIMEOUT_MS)
    const scope = eachScope()
    for (const [title, body] of Object.entries({ ...states, ...results, ...progress })) {
      it(title, async () => {
        const app = new StatesApp(scope(), await config())
        await app.start()
        await body(app)
      })
    }
  })
}

const states: Cases = {
  'is queued, running and completed, by itself (items 77 and 78)': async (app) => {
    const task = await background(work).add(app.gate, 1, 2)
    expect((await task.status()).state).to.equal('queued')

    await app.worker()
    const running = await app.reached(task.id, 'running')
    app.open()
    const done = await app.reached(task.id, 'completed')

    expect(running).to.include({ attempt: 1, task: 'addUp', queue: 'default' })
    expect(done.attempts).to.have.length(1)
    expect(done.attempts[0]).to.include({ attempt: 1, outcome: 'completed' })
    expect(done.attempts[0]?.worker.pid).not.to.equal(process.pid)
  },

  'is scheduled until its delay is over': async (app) => {
    const task = await background(work, { delay: '1h' }).note(app.file)

    const status = await task.status()

    expect(status.state).to.equal('scheduled')
    expect(status.dueAt).to.be.greaterThan(Date.now() + 3_000_000)
  },

  'is retrying between two runs, and its timeline tells how each ended': async (app) => {
    await app.worker()
    const task = await background(work).flaky(app.gate)

    await until('a second run', async () => (await task.status()).attempt >= 2)
    app.open()
    const { attempts, error } = await app.reached(task.id, 'completed')

    expect(attempts[0]).to.include({ attempt: 1, outcome: 'retrying' }).and.deep.include({ error: { name: 'Error', message: 'not yet' } })
    expect(attempts.at(-1)).to.include({ outcome: 'completed' })
    expect(error).to.equal(undefined)
  },

  'shows a second attempt after its worker was killed under it': async (app) => {
    await app.worker()
    const task = await background(work).hold(app.file, app.gate)
    const first = await app.reached(task.id, 'running')

    app.killWorkerOf(first)
    await app.worker()
    await until('a second attempt', async () => (await task.status()).attempt === 2)
    app.open()
    const { attempts } = await app.reached(task.id, 'completed')

    expect(attempts.map(({ attempt, outcome }) => [attempt, outcome])).to.deep.equal([
      [1, undefined],
      [2, 'completed'],
    ])
  },

  'knows the owner, the tenant, the tags, and is found by them': async (app) => {
    const tenant: object = { tenant: 'acme' }
    const task = await withContext({ user: { id: 'ada' }, ...tenant }, () => background(work, { tags: ['letters'] }).note(app.file))

    const status = await task.status()
    const found = await tasks.search({ tag: 'letters', owner: 'ada' })

    expect(status).to.include({ owner: 'ada', tenant: 'acme' }).and.deep.include({ tags: ['letters'] })
    expect(found.tasks.map(({ id }) => id)).to.deep.equal([task.id])
    expect(Object.isFrozen(status)).to.equal(true)
  },

  'is unknown for an id that nobody knows, and its result is a coded error (item 77)': async () => {
    const task = tasks.get('nobody-knows-this')

    expect(await task.status()).to.include({ state: 'unknown', attempt: 0 })
    expect(await codeOf(task.result())).to.equal('TASK_NOT_FOUND')
  },

  'is told change by change until the end, to who watches': async (app) => {
    const task = await background(work).add(app.gate, 1, 2)
    const seen: TaskStatus['state'][] = []
    const watching = (async () => {
      for await (const { state } of task.watch()) seen.push(state)
    })()

    await until('the first state', () => seen.length > 0)
    await app.worker()
    await until('running', () => seen.includes('running'))
    app.open()
    await watching

    expect([...new Set(seen)]).to.deep.equal(['queued', 'running', 'completed'])
  },

  'is not run again when it is delivered again after it completed': async (app) => {
    await app.worker()
    const task = await background(work).note(app.file)
    await app.reached(task.id, 'completed')

    await app.sendAgain(task.id, 'noteDown', [app.file])
    const after = await background(work).note(app.file)
    await app.reached(after.id, 'completed')
    await until('an empty queue', async () => (await app.waiting()) === 0)

    expect((await task.status()).state).to.equal('completed')
    expect(app.lines()).to.have.length(2)
  },

  'does not run once it was cancelled while it waited': async (app) => {
    const task = await background(work).note(app.file)
    await app.cancel(task.id)

    await app.worker()
    await until('an empty queue', async () => (await app.waiting()) === 0)
    const later = await background(work).note(app.file)
    await app.reached(later.id, 'completed')

    expect(app.lines()).to.have.length(1)
    expect((await task.status()).state).to.equal('cancelled')
    expect(await codeOf(task.result())).to.equal('TASK_CANCELLED')
  },

  'is unknown for a task with track: false, which runs all the same': async (app) => {
    await app.worker()
    const task = await background(work).untracked(app.file)

    await app.ran(1)

    expect((await tasks.get(task.id).status()).state).to.equal('unknown')
  },
}

const results: Cases = {
  'gives its value to any process, and to one that waits before it has ended (items 79 and 80)': async (app) => {
    const task = await background(work).add(app.gate, 1, 2)
    const waiting = tasks.get(task.id).result()
    expect(await codeOf(task.result({ timeout: '50ms' }))).to.equal('RESULT_TIMEOUT')
    await app.worker()
    app.open()

    expect(await waiting).to.deep.equal({ sum: 3, at: new Date(0) })
    expect(await task.result()).to.deep.equal({ sum: 3, at: new Date(0) })
    const elsewhere = await app.askElsewhere(task.id)
    expect(elsewhere.status.state).to.equal('completed')
    expect(elsewhere.result).to.deep.include({ sum: 3 })
  },

  'gives a result that can be read once to one reader: there is no such task for the second (item 82)': async (app) => {
    await app.worker()
    const task = await background(work).secret()
    await app.reached(task.id, 'completed')

    const reads = await Promise.all([1, 2, 3].map(() => tasks.get(task.id).result().catch((error: unknown) => Reflect.get(Object(error), 'code'))))

    expect(reads).to.have.members(['TASK_NOT_FOUND', 'TASK_NOT_FOUND', 'for one pair of eyes'])
    expect((await tasks.get(task.id).status()).state).to.equal('unknown')
  },

  'tells a failure from a value: its name, message, code, fields and cause (item 79)': async (app) => {
    await app.worker()
    const task = await background(work).fail()
    const { error } = await app.reached(task.id, 'failed')

    const thrown: unknown = await tasks.get(task.id).result().catch((failure: unknown) => failure)

    expect(error).to.deep.equal({ name: 'OutOfStock', message: 'nothing is left', code: 'OUT_OF_STOCK' })
    expect(thrown).to.be.instanceOf(Error).and.include({ name: 'OutOfStock', message: 'nothing is left', code: 'OUT_OF_STOCK', left: 3 })
    expect(thrown).to.have.property('cause').that.is.instanceOf(RangeError)
  },
}

const progress: Cases = {
  'tells its progress to other processes at once (items 97, 98 and 99)': async (app) => {
    const task = await background(work).report(app.gate, 0, { hello: 'àèìòù' })
    expect(await task.progress()).to.deep.equal({ value: -1, data: null })

    await app.worker()
    await until('progress', async () => (await task.progress()).value === 0)

    expect(await task.progress()).to.deep.equal({ value: 0, data: { hello: 'àèìòù' } })
    app.open()
    await app.reached(task.id, 'completed')
    expect(await task.progress()).to.deep.equal({ value: 100, data: { hello: 'àèìòù' } })
  },

  'tells its progress from a thread too': async (app) => {
    await app.worker()
    const task = await background(work).reportInThread(app.gate, 40)

    await until('progress', async () => (await task.progress()).value === 40)
    app.open()
    const { attempts } = await app.reached(task.id, 'completed')

    expect(attempts).to.have.length(1)
  },
}

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no error',
    (error: unknown) => (error instanceof Error ? Reflect.get(error, 'code') : error),
  )
