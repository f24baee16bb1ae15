import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { background, deadLetters, tasks, withContext, type ConfigInput, type TaskHandle } from 'errand'
import * as work from '../fixtures/cancel/tasks.js'
import { isAlive } from '../kit/process.js'
import { StatesApp } from '../kit/states-app.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

type Case = (app: StatesApp) => Promise<void>
type Cases = Readonly<Record<string, Case>>

const CASE_TIMEOUT_MS = 120_000
const LEAST_RACES = 15
const SERVICES = fileURLToPath(new URL('../fixtures/cancel/tasks.js', import.meta.url))

/** Cancelling, on a broker and a store between processes: registered as a mocha suite. */
export function cancelEndToEnd(name: string, config: () => Promise<ConfigInput>): void {
  describe(`Cancelling a task, on ${name}`, function () {
    this.timeout(CASE_TIMEOUT_MS)
    const scope = eachScope()
    const register = (cases: Cases, timeLimitGrace: string): void => {
      for (const [title, body] of Object.entries(cases)) {
        it(title, async () => {
          const app = new StatesApp(scope(), { services: SERVICES, timeLimitGrace, ...(await config()) })
          await app.start()
          await body(app)
        })
      }
    }
    register({ ...waiting, ...heeding, ...many }, '1m')
    register(ignoring, '500ms')
  })
}

const waiting: Cases = {
  'keeps one that waits from ever running, and says who cancelled it and why': async (app) => {
    const task = await background(work).note(app.file)
    const result = codeOf(task.result())

    const cancelled = await withContext({ user: { id: 'ada' } }, () => task.cancel({ reason: 'ordered twice' }))
    await app.worker()
    await until('an empty queue', async () => (await app.waiting()) === 0)
    await ranAfter(app)

    expect(cancelled).to.deep.equal({ id: task.id, isCancelled: true, state: 'cancelled', children: 0 })
    expect(await task.status()).to.deep.include({ state: 'cancelled', attempt: 0, cancellation: { by: 'ada', reason: 'ordered twice' } })
    expect(await result).to.equal('TASK_CANCELLED')
    expect(app.lines()).to.deep.equal(['ran'])
    expect(await deadLetters.list()).to.have.length(0)
  },

  'tells listeners in the worker when the message is settled': async (app) => {
    const task = await background(work).note(app.file)
    await task.cancel()

    const worker = await app.worker()

    await worker.line(new RegExp(`^heard that cancel.note ${task.id} was cancelled`))
  },

  'keeps one that is scheduled from running when its time has come': async (app) => {
    const task = await background(work, { delay: '1s' }).note(app.file)
    const { isCancelled } = await task.cancel()
    await app.worker() // not before that: its time could come too early
    const after = await background(work, { delay: '1100ms' }).note(app.file)
    await app.reached(after.id, 'completed')

    expect(isCancelled).to.equal(true)
    expect(app.lines()).to.deep.equal(['ran'])
    expect((await task.status()).state).to.equal('cancelled')
  },

  'keeps one that is between two runs from running again, and makes it no dead letter': async (app) => {
    const worker = await app.worker()
    const task = await background(work).failing(app.file)
    await app.pauses(task.id)
    const failures = app.lines()

    await task.cancel()
    await worker.line(cancelledLine(task))
    await ranAfter(app)

    expect(failures.at(-1)).to.equal('failed')
    expect(app.lines()).to.deep.equal([...failures, 'ran'])
    expect((await task.status()).state).to.equal('cancelled')
    expect(await deadLetters.list()).to.have.length(0)
  },

  'leaves one that has ended as it is': async (app) => {
    await app.worker()
    const task = await background(work).quick(0)
    await task.result()

    expect(await task.cancel()).to.deep.equal({ id: task.id, isCancelled: false, state: 'completed', children: 0 })
    expect(await tasks.get(task.id).result()).to.equal(0)
  },

  'is told twice: the second time nothing is cancelled': async (app) => {
    const task = await background(work).note(app.file)
    await task.cancel({ reason: 'first' })

    expect(await task.cancel({ reason: 'second' })).to.include({ isCancelled: false, state: 'cancelled' })
    expect((await task.status()).cancellation).to.deep.equal({ reason: 'first' })
  },

  'cancels nothing where nothing is known': async () => {
    const untracked = await background(work).untracked()

    expect(await tasks.cancel('nobody-knows-this')).to.include({ isCancelled: false, state: 'unknown' })
    expect((await tasks.get('nobody-knows-this').status()).state).to.equal('unknown')
    expect(await codeOf(untracked.cancel())).to.equal('CALL_INVALID')
  },

  'refuses a reason that is too long, and a search without a condition': async (app) => {
    const task = await background(work).note(app.file)

    expect(await codeOf(task.cancel({ reason: 'x'.repeat(501) }))).to.equal('OPTION_INVALID')
    expect(await codeOf(tasks.cancel({}))).to.equal('OPTION_INVALID')
    expect((await task.status()).state).to.equal('queued')
  },
}

const heeding: Cases = {
  'tells a body that runs by its signal, from another process, and does not try it again': async (app) => {
    const worker = await app.worker()
    const task = await background(work).heed(app.file)
    await app.ran(1)

    const cancelled = await app.cancelElsewhere(task.id)
    const lines = await app.ran(2)
    await worker.line(cancelledLine(task))
    await ranAfter(app)

    expect(cancelled).to.include({ isCancelled: true, state: 'cancelled' })
    expect((await task.status()).attempts).to.have.length(1).and.to.have.nested.property('[0].outcome', 'cancelled')
    expect(lines[1]).to.match(/^aborted TASK_CANCELLED: .*by operator \(no longer wanted\)/)
    expect(app.lines()).to.deep.equal([...lines, 'ran'])
    expect(await codeOf(task.result())).to.equal('TASK_CANCELLED')
    expect(await app.askElsewhere(task.id)).to.have.nested.property('result.message').that.includes('no longer wanted')
    expect(isAlive(worker.pid)).to.equal(true)
    expect(await deadLetters.list()).to.have.length(0)
  },

  'drops the value of a body that ends all the same': async (app) => {
    const worker = await app.worker()
    const task = await background(work).finish(app.file)
    const waits = codeOf(task.result())
    await app.ran(1)

    await tasks.get(task.id).cancel()
    await worker.line(cancelledLine(task))

    expect(await waits).to.equal('TASK_CANCELLED')
    expect((await task.status()).state).to.equal('cancelled')
  },
}

const ignoring: Cases = {
  'replaces the worker of a body that ignores it, once the other tasks there have ended': async (app) => {
    const worker = await app.worker()
    const neighbour = await background(work).neighbour(app.file, app.gate)
    const task = await background(work).ignore(app.file)
    await app.ran(2)

    await task.cancel()
    await worker.line(/cannot end cancel\.ignore/)
    app.open()
    const done = await app.reached(neighbour.id, 'completed')

    expect(await worker.exited).to.include({ code: 75 })
    expect(done.attempts).to.have.length(1)
    expect((await task.status()).attempts).to.have.length(1)
    await app.worker()
    await ranAfter(app)
    expect(app.lines()).to.deep.equal(['began', 'began', 'ran'])
  },

  'ends the thread of a body that spins, and not its worker': async (app) => {
    await endsAlone(app, work.spinInThread)
  },

  'ends the process of a body that spins, and not its worker': async (app) => {
    const [pid = 0] = await endsAlone(app, work.spinInProcess)
    await until('its end', () => !isAlive(pid))
  },
}

const many: Cases = {
  'cancels the calls that it made, and theirs, and those it makes until it hears of it': async (app) => {
    await app.worker()
    const task = await background(work).parent(app.file, 2, app.gate)
    await app.ran(1)

    const { children } = await task.cancel({ reason: 'all of it' })
    app.open() // not before that: what they call late would count as well
    const late = (await app.ran(3)).slice(1).map((line) => line.replace('late ', ''))
    for (const id of late) await app.reached(id, 'cancelled')
    const family = await tasks.search({ task: 'cancel.parent' })

    const ends = family.tasks.map(({ state, cancellation }) => `${state}: ${cancellation?.reason}`)
    expect({ children, ends }).to.deep.equal({ children: 2, ends: Array(3).fill('cancelled: all of it') })
  },

  'leaves its calls alone where that is wanted': async (app) => {
    await app.worker()
    const task = await background(work).parent(app.file, 1)
    await app.ran(1)

    const { children } = await task.cancel({ children: false })
    const [, late = ''] = await app.ran(2)
    const child = (await tasks.search({ parentId: task.id, task: 'cancel.parent' })).tasks[0]
    await ranAfter(app)

    expect(children).to.equal(0)
    expect(child?.state).to.equal('running')
    expect((await tasks.get(late.replace('late ', '')).status()).state).to.equal('scheduled')
    await tasks.cancel(child?.id ?? '')
  },

  'cancels what a search finds, or only counts it': async (app) => {
    const tagged = background(work, { tags: ['campaign'] })
    const ids = [(await tagged.note(app.file)).id, (await tagged.note(app.file)).id]
    const other = await background(work).note(app.file)

    const counted = await tasks.cancel({ tag: 'campaign' }, { dryRun: true })
    const before = await tasks.get(ids[0] ?? '').status()
    const cancelled = await tasks.cancel({ tag: 'campaign' })

    expect(before.state).to.equal('queued')
    expect([counted.cancelled, cancelled.cancelled]).to.deep.equal([2, 2])
    for (const id of ids) expect((await tasks.get(id).status()).state).to.equal('cancelled')
    expect((await other.status()).state).to.equal('queued')
    expect(await tasks.cancel({ tag: 'campaign' })).to.include({ cancelled: 0 })
  },

  'has one winner against an end at the same moment, and all agree which': async (app) => {
    await app.worker()
    const winners = new Set<string>()
    // each loser makes the next race harder for the winner, so that they come to be close
    for (let [round, pauseMs, lastsMs] = [0, 0, 50]; round < LEAST_RACES || winners.size < 2; round++) {
      const winner = await raceOne(lastsMs, pauseMs)
      winners.add(winner)
      // on a machine that is busy it may be over before it is seen to run
      if (winner === 'completed' && pauseMs === 0) lastsMs *= 2
      pauseMs = Math.max(0, pauseMs + (winner === 'cancelled' ? 7 : -5))
    }

    expect([...winners]).to.have.members(['completed', 'cancelled'])
  },
}

/** A task that lasts so long and is cancelled so long after it was seen to run; who won. */
async function raceOne(lastsMs: number, pauseMs: number): Promise<string> {
  const task = await background(work).quick(lastsMs)
  const told = outcomeOf(task)
  await until('a run', async () => (await task.status()).attempt === 1)
  await sleep(pauseMs)
  const { isCancelled } = await task.cancel()
  const { state } = await task.status()

  expect(state).to.equal(isCancelled ? 'cancelled' : 'completed')
  expect(await told).to.equal(isCancelled ? 'TASK_CANCELLED' : lastsMs)
  expect(await outcomeOf(tasks.get(task.id))).to.equal(isCancelled ? 'TASK_CANCELLED' : lastsMs)
  return state
}

/** Cancels a body that blocks its thread or process; the worker goes on with other tasks. The answer: process ids it ran in. */
async function endsAlone(app: StatesApp, spin: (file: string) => Promise<void>): Promise<number[]> {
  const worker = await app.worker()
  const neighbour = await background(work).neighbour(app.file, app.gate)
  await app.ran(1)
  const task = await background({ spin }).spin(app.file)
  const lines = await app.ran(2)

  await task.cancel()
  await worker.line(cancelledLine(task))
  app.open()
  const done = await app.reached(neighbour.id, 'completed')
  await ranAfter(app)

  expect(done.attempts).to.have.length(1)
  expect(isAlive(worker.pid)).to.equal(true)
  expect((await task.status()).state).to.equal('cancelled')
  expect(await codeOf(tasks.get(task.id).result())).to.equal('TASK_CANCELLED')
  expect(app.lines()).to.deep.equal([...lines, 'ran'])
  return lines.flatMap((line) => (line.startsWith('began ') ? [Number(line.slice('began '.length))] : []))
}

/** Another task runs: what came before it in its queue has been looked at. */
async function ranAfter(app: StatesApp): Promise<void> {
  const after = await background(work).note(app.file)
  await app.reached(after.id, 'completed')
}

const cancelledLine = ({ task, id }: TaskHandle<unknown>): RegExp => new RegExp(`${task} ${id} was cancelled`)
const outcomeOf = (task: TaskHandle<unknown>): Promise<unknown> => task.result().catch((error: unknown) => codeIn(error))
const codeOf = (promise: Promise<unknown>): Promise<unknown> => promise.then(() => 'no error', codeIn)
const codeIn = (error: unknown): unknown => (error instanceof Error ? Reflect.get(error, 'code') : error)
