import { assert } from 'chai'
import { around, asyncTask, ErrandError, type FailureReport } from 'errand'
import type { Delivery, Verdict } from '#src/broker/broker.js'
import type { Locks } from '#src/broker/locks.js'
import { openMemoryBroker } from '#src/broker/memory/broker.js'
import { openMemoryLocks } from '#src/broker/memory/locks.js'
import { newId, systemClock } from '#src/core/clock.js'
import { encodeArguments } from '#src/core/codec/encode.js'
import { makeContext } from '#src/core/context.js'
import { silentLogger } from '#src/core/logger.js'
import { createMessages, type CallMessage } from '#src/core/message.js'
import { generateKey, parseKeyRing } from '#src/core/seal/key-ring.js'
import { readNote } from '#src/runtime/death-note.js'
import { declareBuiltIn } from '#src/runtime/built-in.js'
import { createExecutor } from '#src/runtime/execute.js'
import { LazySignal } from '#src/core/lazy-signal.js'
import type { Runtime } from '#src/runtime/runtime.js'

const runs: string[] = []

asyncTask(async function good(): Promise<void> {
  runs.push('good')
})
asyncTask(async function bad(status?: number): Promise<void> {
  runs.push('bad')
  throw Object.assign(new Error('it broke'), { status })
}, { retries: 2, backoff: 0 })
asyncTask(async function picky(): Promise<void> {
  throw new RangeError('never again')
}, { retries: 5, retryIf: (error) => !(error instanceof RangeError) })

asyncTask(async function slow(): Promise<void> {
  runs.push('slow')
}, { rate: '1/d' })

describe('a run', () => {
  beforeEach(() => void (runs.length = 0))

  it('of a good body is done', async () => {
    const { run } = worker()

    assert.deepEqual(await run('good'), { kind: 'done' })
  })

  it('of a body that throws is asked for again until its retries are used up, then it is a dead letter with the reason', async () => {
    const { run, reports } = worker()

    assert.equal((await run('bad')).kind, 'again')
    assert.equal((await run('bad', { attempt: 2 })).kind, 'again')
    const { reason, attempt, task } = await deathOf(run('bad', { attempt: 3 }))

    assert.deepInclude({ reason, attempt, task }, { reason: 'Error: it broke', attempt: 3, task: 'bad' })
    assert.deepEqual(reports.map(({ data }) => data.status), ['retrying', 'retrying', 'failed'])
    assert.include(reports[2]?.title, 'bad failed')
  })

  it('of a body that throws has all its retries, however many runs ended with a worker before', async () => {
    const { run } = worker()

    assert.equal((await run('bad', { attempt: 3, crashes: 2 })).kind, 'again')
    assert.equal((await run('bad', { attempt: 4, crashes: 2 })).kind, 'again')
    assert.equal((await run('bad', { attempt: 5, crashes: 2 })).kind, 'dead')
  })

  it('that is asked for again hands on how it failed, so that the dead letter tells of every run', async () => {
    const { run } = worker()
    const first = await run('bad')
    const second = await run('bad', { attempt: 2, note: noteOf(first) })
    const last = await run('bad', { attempt: 3, note: noteOf(second) })

    const { history } = readNote(noteOf(last))
    assert.deepEqual(history.map(({ attempt, name, message }) => [attempt, name, message]), [1, 2, 3].map((attempt) => [attempt, 'Error', 'it broke']))
  })

  it('that its limits put off is no attempt, and does not happen', async () => {
    const locks = openMemoryLocks()
    const { run } = worker({ locks })

    assert.equal((await run('slow')).kind, 'done')
    assert.equal((await run('slow')).kind, 'later')
    assert.deepEqual(runs, ['slow'])
  })

  it('is not repeated for an error that retryIf declines', async () => {
    assert.equal((await deathOf(worker().run('picky'))).reason, 'RangeError: never again')
  })

  it('of a task that this worker does not know is a dead letter that names the nearest one', async () => {
    const { run, reports } = worker()

    const { code, reason } = await deathOf(run('goods'))

    assert.equal(code, 'TASK_UNKNOWN')
    assert.include(reason, 'Did it become good?')
    assert.lengthOf(reports, 1)
  })

  it('of bytes that are no message is a dead letter', async () => {
    const { deliver } = worker()

    assert.equal((await deathOf(deliver(Buffer.from('{"task":"good"}')))).code, 'MESSAGE_MALFORMED')
    assert.deepEqual(runs, [])
  })

  it('of a message that another key sealed is a dead letter', async () => {
    const forged = worker().seal('good')

    assert.equal((await deathOf(worker().deliver(forged))).code, 'MESSAGE_FORGED')
    assert.deepEqual(runs, [])
  })

  it('of a message that killed its worker too often does not happen', async () => {
    const { run } = worker()

    assert.equal((await run('good', { crashes: 2 })).kind, 'done')
    const { reason } = await deathOf(run('good', { crashes: 3 }))

    assert.include(reason, '3 of its runs ended with the death of their worker')
    assert.deepEqual(runs, ['good'])
  })

  it('is not reported when the error is an answer to the caller', async () => {
    const { run, reports } = worker()

    await run('bad', { attempt: 3 }, [404])
    assert.deepEqual(reports, [])
    await run('bad', { attempt: 3 }, [503])
    assert.lengthOf(reports, 1)
  })

  it('is settled although the error reporter throws', async () => {
    const { run } = worker({
      report: () => {
        throw new ErrandError('CALL_INVALID', 'the reporter is broken')
      },
    })

    assert.equal((await run('bad', { attempt: 3 })).kind, 'dead')
  })

  it('is reported with types of arguments and the path of the request, never with values', async () => {
    const { run, reports } = worker()
    const context = makeContext({ user: { id: 7 }, url: 'https://shop.example/orders?token=planted-4711', method: 'POST' })

    await run('bad', { attempt: 3 }, ['planted-4711', new Map()], { context })

    assert.deepInclude(reports[0]?.data, { arguments: ['string', 'Map'], userId: '7', request: 'POST https://shop.example/orders' })
    assert.notInclude(JSON.stringify(reports[0]?.data), 'planted-4711')
  })

  it('goes through the hooks around it, the first one outermost, and fails when one throws', async () => {
    const remove = ['outer', 'inner'].map((name) =>
      around(async (run, info) => {
        runs.push(`${name} ${info.task} ${info.attempt}`)
        const value = await run()
        runs.push(`${name} after`)
        return value
      }),
    )
    try {
      assert.equal((await worker().run('good')).kind, 'done')
      assert.deepEqual(runs, ['outer good 1', 'inner good 1', 'good', 'inner after', 'outer after'])
    } finally {
      for (const undo of remove) undo()
    }
  })

  it('is waited for also where a hook answers a promise that is not of the platform, as transactions of Knex are', async () => {
    const { run } = worker()
    // such a promise has `then` alone
    const foreign = (inner: Promise<unknown>): Promise<unknown> => ({ then: inner.then.bind(inner) }) as unknown as Promise<unknown>
    const stop = around((body) => foreign(new Promise((resolve) => setImmediate(resolve)).then(body)))

    const verdicts = [await run('good'), await run('bad')]
    stop()

    assert.deepEqual(verdicts.map(({ kind }) => kind), ['done', 'again'])
    assert.deepEqual(runs, ['good', 'bad'])
  })

  it('with an expired token is refused where the configuration asks for that, with five minutes for clocks that differ', async () => {
    const { run } = worker({ reverify: true })
    const asWith = (secondsAgo: number): Partial<CallMessage> => ({ context: makeContext({ headers: { authorization: jwt(secondsAgo) } }) })

    assert.equal((await run('good', {}, [], asWith(200))).kind, 'done')
    const { code } = await deathOf(run('good', {}, [], asWith(400)))

    assert.equal(code, 'TOKEN_EXPIRED')
    assert.equal((await worker().run('good', {}, [], asWith(400))).kind, 'done')
  })
})

describe('a task of this library itself', () => {
  it('runs without the hooks of the application, and also when the token of who caused it has expired', async () => {
    let hooked = 0
    let ran = 0
    const remove = around((run) => {
      hooked++
      return run()
    })
    const { name } = declareBuiltIn({ name: 'executed', body: async () => void ran++, plan: () => undefined }).task
    try {
      const expired = makeContext({ headers: { authorization: jwt(400) } })
      assert.equal((await worker({ reverify: true }).run(name, {}, [], { context: expired })).kind, 'done')
    } finally {
      remove()
    }

    assert.deepEqual([ran, hooked], [1, 0])
  })

  it('is run again as it decides itself, whatever the configured retries are', async () => {
    const pauses = [7, undefined]
    const { name } = declareBuiltIn({ name: 'planned', body: async () => Promise.reject(new Error('away')), plan: () => pauses.shift() }).task
    const { run } = worker()

    const first = await run(name)
    const second = await run(name, { attempt: 2 })

    assert.deepEqual([first.kind, first.kind === 'again' && first.delayMs, second.kind], ['again', 7, 'dead'])
  })
})

function worker({ report, reverify = false, locks }: { report?: (failure: FailureReport) => void; reverify?: boolean; locks?: Locks } = {}) {
  const reports: FailureReport[] = []
  const secretHeaders = ['authorization']
  const keys = parseKeyRing([generateKey()])
  const messages = createMessages({ keys, app: 'shop', env: 'test', seal: 'secrets', secretHeaders, payloadLimit: 100_000, clock: systemClock })
  const settings = {
    outsideRequest: 'enqueue',
    expiresMs: 0,
    resultTimeoutMs: 1000,
    retries: 0,
    maxCrashes: 3,
    timeLimitMs: 0,
    timeLimitGraceMs: 5_000,
    reverify,
    secretHeaders,
    worker: { queues: ['default'], concurrency: 10 },
  } as const
  const runtime: Runtime = { settings, broker: openMemoryBroker(), messages, clock: systemClock, log: silentLogger, report: report ?? ((failure) => void reports.push(failure)), ...(locks === undefined ? {} : { locks: async () => locks }) }
  const executor = createExecutor(runtime)
  const deliver = (body: Buffer, more: Partial<Delivery> = {}) =>
    executor.run({ id: newId(), queue: 'default', attempt: 1, crashes: 0, priority: 4, body, ...more }, new LazySignal())
  const seal = (task: string, args: readonly unknown[] = [], more: Partial<CallMessage> = {}): Buffer =>
    messages.sealCall({
      id: newId(),
      task,
      args: encodeArguments(args, 'Cannot send'),
      context: undefined,
      carriers: undefined,
      sentAt: Date.now(),
      expiresAt: undefined,
      replyTo: undefined,
      ...more,
    })
  const run = (task: string, delivery: Partial<Delivery> = {}, args: readonly unknown[] = [], more: Partial<CallMessage> = {}) =>
    deliver(seal(task, args, more), delivery)
  return { run, deliver, seal, reports }
}

const noteOf = (verdict: Verdict): string | undefined => (verdict.kind === 'again' || verdict.kind === 'dead' ? verdict.note : undefined)

async function deathOf(verdict: ReturnType<ReturnType<typeof worker>['run']>): Promise<Record<string, unknown>> {
  const settled = await verdict
  assert.equal(settled.kind, 'dead')
  // the note of a dead letter is a JSON object
  return JSON.parse(settled.kind === 'dead' ? settled.note : '{}') as Record<string, unknown>
}

function jwt(expiredSecondsAgo: number): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `Bearer ${part({ alg: 'none' })}.${part({ exp: Math.floor(Date.now() / 1000) - expiredSecondsAgo })}.x`
}
