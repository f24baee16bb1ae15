import { writeFileSync } from 'node:fs'
import { expect } from 'chai'
import type { ConfigInput } from 'errand'
import { deadQueueOf } from '#src/broker/broker.js'
import { compose, type Composed } from '#src/compose.js'
import { newId } from '#src/core/clock.js'
import { encodeArguments } from '#src/core/codec/encode.js'
import { silentLogger } from '#src/core/logger.js'
import { eachScope, type Scope } from '../kit/temporary.js'
import { until } from '../kit/until.js'
import { WorkerApp } from '../kit/worker-app.js'

/** A broker between servers and workers that are processes of their own. */
export interface EndToEndBroker {
  /** The configuration of an application whose queues belong to one test. */
  readonly config: () => Promise<ConfigInput>
  /** Puts bytes into the queue `default` as a stranger would, who writes there without this library where that is possible. */
  readonly put: (body: Buffer, application: Composed) => Promise<void>
}

/** What one test works with. */
interface Bundle {
  readonly app: WorkerApp
  /** Where the tasks of the application write how they ran, and the file that lets `hold` end. */
  readonly file: string
  readonly gate: string
  readonly scope: Scope
  readonly broker: EndToEndBroker
}

/** Why a message is a dead letter. */
interface Death {
  readonly code: string
  /** A part of the reason. */
  readonly says: string
}

type Cases = Readonly<Record<string, (bundle: Bundle) => Promise<void>>>

const CALL_TIMEOUT_MS = 120_000

/** What an application sees, whatever the broker: registered as a mocha suite. */
export function endToEnd(name: string, broker: EndToEndBroker): void {
  describe(`A task on ${name}, from the call in a server to its run in a worker`, function () {
    this.timeout(CALL_TIMEOUT_MS)
    const scope = eachScope()
    for (const [title, body] of Object.entries({ ...runs, ...stops, ...refusals })) {
      it(title, async () => {
        const app = new WorkerApp(scope(), await broker.config())
        await body({ app, file: app.notesFile, gate: scope().file('gate'), scope: scope(), broker })
      })
    }
  })
}

const runs: Cases = {
  'runs in another process, as the user who asked': async ({ app, file }) => {
    const server = app.server({ calls: [{ task: 'note', args: [file, 'hello'] }] })

    const [note] = await app.noted(1)

    expect(note).to.include({ text: 'hello', attempt: 1 }).and.deep.include({ user: { id: 'ada' } })
    expect(note?.pid).not.to.equal(server.pid)
    // the leader may hear that it consumes after its first task has run
    const workers = await until('the worker', async () => (await app.workers()).length > 0 && app.workers())
    expect(workers).to.deep.equal([note?.pid])
  },

  'runs again, as the second attempt, when its worker is killed': async ({ app, file, gate }) => {
    app.server({ calls: [{ task: 'hold', args: [file, gate] }] })
    const [first] = await app.noted(1)

    process.kill(first?.pid ?? 0, 'SIGKILL')
    const [, second] = await app.noted(2)
    writeFileSync(gate, '')
    const [, , end] = await app.noted(3)

    expect(second).to.include({ text: 'begun', attempt: 2 }).and.deep.include({ user: { id: 'ada' } })
    expect(second?.pid).not.to.equal(first?.pid)
    expect(end).to.include({ text: 'ended', attempt: 2, pid: second?.pid })
  },

  'calls another task as the same user': async ({ app, file }) => {
    app.server({ calls: [{ task: 'callOn', args: [file] }] })

    const [note] = await app.noted(1)

    expect(note).to.include({ text: 'called by a task' }).and.deep.include({ user: { id: 'ada' } })
  },

  'runs when a worker comes that was not there at the call': async ({ app, file }) => {
    const server = app.server({ config: { worker: { spawn: false } }, calls: [{ task: 'note', args: [file, 'hello'] }] })
    await server.line(/^sent/)
    server.kill('SIGKILL')
    await server.exited
    const worker = app.worker()

    const [note] = await app.noted(1)

    expect(note).to.include({ pid: worker.pid })
  },

  'runs in a worker that was there before any server': async ({ app, file }) => {
    const worker = app.worker()
    await worker.line(/^consuming/)

    app.server({ config: { worker: { spawn: false } }, calls: [{ task: 'note', args: [file, 'hello'] }] })
    const [note] = await app.noted(1)

    expect(note).to.include({ pid: worker.pid, attempt: 1 })
  },
}

const stops: Cases = {
  'ends when its server stops, whose worker takes no other': async ({ app, file, gate }) => {
    const calls = [{ task: 'hold', args: [file, gate] } as const, { task: 'note', args: [file, 'later'] } as const]
    const server = app.server({ calls, config: { worker: { concurrency: 1 } }, env: { GRACEFUL: '1' } })
    await Promise.all([app.noted(1), server.line(/^sent/)])

    server.kill('SIGTERM')
    await server.line(/stops; 1 running task/)
    writeFileSync(gate, '')

    expect(await server.exited).to.deep.equal({ code: 0, signal: null })
    expect(app.notes().map(({ text }) => text)).to.deep.equal(['begun', 'ended'])
  },

  'is aborted after the grace period and handed back, which is no failure': async ({ app, file }) => {
    const config = { worker: { grace: '50ms' } }
    const server = app.server({ calls: [{ task: 'heed', args: [file] }], config, env: { GRACEFUL: '1' } })
    await app.noted(1)

    server.kill('SIGTERM')
    await server.exited
    app.server()
    const notes = await app.noted(3)

    expect(notes.map(({ text }) => text)).to.deep.equal(['begun', 'aborted', 'begun'])
    expect(server.output).not.to.contain(' failed')
  },
}

const refusals: Cases = {
  'becomes a dead letter with its reason when no worker knows it, and the worker goes on': async (bundle) => {
    const application = await join(bundle)

    await bundle.broker.put(sealed(application, 'Work.gone', []), application)

    await isDead(bundle, application, { code: 'TASK_UNKNOWN', says: 'Work.gone' })
  },

  'is not held up by a message that this library did not write: that is a dead letter': async (bundle) => {
    const application = await join(bundle)

    await bundle.broker.put(Buffer.from('{"hello":"world"}'), application)

    await isDead(bundle, application, { code: 'MESSAGE_MALFORMED', says: 'not begin as this library writes it' })
  },

  'is not held up by a message that was altered: that is a dead letter': async (bundle) => {
    const application = await join(bundle)
    const call = sealed(application, 'Work.note', [bundle.file, 'as the attacker']).toString()

    await bundle.broker.put(Buffer.from(call.replace('attacker', 'boss')), application)

    await isDead(bundle, application, { code: 'MESSAGE_FORGED', says: 'does not match its content' })
  },

  'is not held up by a message of a newer version: that is a dead letter that says so': async (bundle) => {
    const application = await join(bundle)
    const call = sealed(application, 'Work.note', [bundle.file, 'from the future']).toString()

    await bundle.broker.put(Buffer.from(call.replace(/^errand\/1 /, 'errand/2 ')), application)

    await isDead(bundle, application, { code: 'MESSAGE_TOO_NEW', says: 'has version 2 of the format, this process reads 1' })
  },
}

/** This process as a part of the application, once a worker of it consumes. */
async function join({ app, scope }: Bundle): Promise<Composed> {
  await app.worker().line(/^consuming/)
  const application = await compose(await app.config(), { log: silentLogger })
  scope.defer(() => application.close())
  return application
}

/** A message as a caller would send it. */
function sealed({ messages }: Composed, task: string, args: readonly unknown[]): Buffer {
  return messages.sealCall({
    id: newId(),
    task,
    args: encodeArguments([...args], task),
    context: undefined,
    carriers: undefined,
    sentAt: Date.now(),
    expiresAt: undefined,
    replyTo: undefined,
  })
}

/** Waits until one dead letter lies there with this note, and sees that the next call runs, and nothing else did. */
async function isDead({ app, file }: Bundle, { broker }: Composed, death: Death): Promise<void> {
  const notes: (string | undefined)[] = []
  await broker.consume(deadQueueOf('default'), { concurrency: 10 }, async ({ note }) => {
    notes.push(note)
    return { kind: 'done' }
  })
  await until('the dead letter', () => notes.length > 0)
  app.server({ config: { worker: { spawn: false } }, calls: [{ task: 'note', args: [file, 'after it'] }] })
  await app.noted(1)

  expect(notes).to.have.length(1)
  // written by the worker
  const { code, reason } = JSON.parse(notes[0] ?? '{}') as { code?: string; reason?: string }
  expect(code).to.equal(death.code)
  expect(reason).to.contain(death.says)
  expect(app.notes().map(({ text }) => text)).to.deep.equal(['after it'])
}
