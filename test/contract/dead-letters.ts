import { writeFileSync } from 'node:fs'
import { expect } from 'chai'
import type { ConfigInput, DeadLetter, DeadLetters } from 'errand'
import type { Broker } from '#src/broker/broker.js'
import { newId } from '#src/core/clock.js'
import { createMessages } from '#src/core/message.js'
import { generateKey, parseKeyRing } from '#src/core/seal/key-ring.js'
import { Application, callOf, world } from '../kit/mortal-application.js'
import { startProgram } from '../kit/process.js'
import { eachScope, type Scope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

/** What is expected of one kind of death. */
interface Kind {
  readonly body: Buffer
  readonly code: string
  /** A part of the reason. */
  readonly says: string
  readonly task?: string
  /** A worker would refuse it again. */
  readonly isRefused?: true
  /** What the task says when it runs at last. */
  readonly runsAs?: string
}

/** Dead letters with a real broker, whatever it is: registered as a mocha suite. */
export function deadLetterSuite(name: string, config: () => Promise<ConfigInput>): void {
  describe(`Dead letters on ${name}`, function () {
    this.timeout(120_000)
    const scope = eachScope()
    beforeEach(() => {
      world.isMended = false
      world.ran = []
    })

    it('are there for every way to die, with reason, history and the bytes as they were sent, and run once repaired', async () => {
      const app = await Application.open(scope(), await config())
      await everyDeath(app)
    })

    it('are queued again in what is known of them, and then what becomes of them', async () => {
      const app = await Application.open(scope(), await config())
      const worker = await app.work()
      const id = newId()
      await app.put(app.seal('fragile', ['tea'], { id }), id)
      const stands = (state: string): Promise<unknown> => until(state, async () => (await app.runtime.tracking?.store.find({ id }))?.state === state)
      await stands('failed')
      await app.hasDead(1)

      await worker.stop()
      app.repair()
      await app.letters.replay(id)
      await stands('queued')
      await app.work()

      await stands('completed')
    })

    it('are found by what they have in common, a part at a time, and go for good when they are discarded', async () => {
      const app = await Application.open(scope(), await config())
      await chosen(app)
    })

    it('are neither lost nor half replayed when the process that replays them is killed', async () => {
      const given = { ...(await config()), keys: [generateKey()] }
      await interrupted(scope(), await Application.open(scope(), given))
    })
  })
}

async function everyDeath(app: Application): Promise<void> {
  const kinds = everyKind(app)
  const worker = await app.work()
  const ids = new Map<string, string>()
  for (const [kind, { body }] of Object.entries(kinds)) ids.set(kind, await app.put(body))
  await app.hasDead(ids.size)
  await worker.stop()

  const letters = new Map((await app.letters.list()).map((letter) => [letter.id, letter]))
  for (const [kind, expected] of Object.entries(kinds)) {
    const id = ids.get(kind) ?? ''
    await expectLetter(app.letters, letters.get(id), { kind, ...expected })
  }
  const fragile = letters.get(ids.get('exhausted') ?? '')
  expect(fragile?.history.map(({ attempt, name, code, message }) => ({ attempt, name, code, message }))).to.deep.equal(
    [1, 2].map((attempt) => ({ attempt, name: 'RangeError', code: 'NOT_YET', message: 'no tea yet' })),
  )
  expect(letters.get(ids.get('poison') ?? '')?.crashes).to.equal(2)

  await replayed(app, kinds, ids)
}

async function replayed(app: Application, kinds: Readonly<Record<string, Kind>>, ids: ReadonlyMap<string, string>): Promise<void> {
  app.repair()
  const refused = Object.entries(kinds).flatMap(([kind, { isRefused }]) => (isRefused ? [ids.get(kind) ?? ''] : []))
  const runs = Object.values(kinds).flatMap(({ runsAs }) => runsAs ?? [])

  expect(await app.letters.replay({}, { dryRun: true })).to.include({ replayed: runs.length, renewed: 1 })
  await app.holds('default', { waiting: 0, dead: ids.size })
  const result = await app.letters.replay({})

  expect(result).to.include({ replayed: runs.length, renewed: 1 })
  expect(result.refused.map(({ id }) => id)).to.have.members(refused)
  await app.work()
  await until('the runs', () => world.ran.length >= runs.length)
  expect(world.ran).to.have.members(runs)
  expect(new Set(app.attempts)).to.deep.equal(new Set(['1 0']))
  expect((await app.letters.list()).map(({ id }) => id)).to.have.members(refused)

  // and those that would be refused again die once more when they are forced
  expect(await app.letters.replay(refused, { force: true })).to.deep.equal({ replayed: refused.length, renewed: 0, refused: [] })
  await app.hasDead(refused.length)
  for (const id of refused) expect((await app.letters.get(id)).body.equals(app.sent.get(id) ?? Buffer.alloc(0))).to.equal(true)
}

async function expectLetter(letters: DeadLetters, letter: DeadLetter | undefined, expected: Kind & { readonly kind: string }): Promise<void> {
  const { kind, code, says, task, isRefused = false, body } = expected
  expect(letter, kind).to.include({ queue: 'default', task, size: body.length })
  if (letter === undefined) return
  expect(letter.reason.code, kind).to.equal(code)
  expect(letter.reason.text, kind).to.contain(says)
  expect(letter.refusal !== undefined, kind).to.equal(isRefused)
  expect(letter.history.at(-1)?.attempt, kind).to.equal(letter.attempt)
  expect(letter.diedAt?.getTime(), kind).to.be.closeTo(Date.now(), 60_000)
  expect(letter, kind).not.to.have.property('body')
  expect((await letters.get(letter.id)).body.equals(body), kind).to.equal(true)
}

function everyKind(app: Application): Readonly<Record<string, Kind>> {
  const { lateTask, lateClass } = app
  const instance = { $: 'class', n: lateClass, v: { id: 9 } }
  const tea = app.seal('sturdy', ['tea']).toString()
  const forged = createMessages({ ...app.messagesOptions, keys: parseKeyRing([generateKey()]) })
  const misdirected = createMessages({ ...app.messagesOptions, env: 'elsewhere' })
  const sturdy = { task: 'sturdy', runsAs: 'sturdy tea' }
  const TASK = 'TASK_FAILED'
  return {
    exhausted: { body: app.seal('fragile', ['tea']), code: TASK, says: 'RangeError: no tea yet', task: 'fragile', runsAs: 'fragile tea' },
    poison: { body: app.seal('sturdy', ['poison']), code: TASK, says: 'death of their worker', task: 'sturdy', runsAs: 'sturdy poison' },
    unknown: { body: app.seal(lateTask, ['x']), code: 'TASK_UNKNOWN', says: lateTask, task: lateTask, runsAs: 'late x' },
    malformed: { body: Buffer.from('{"hello":"world"}'), code: 'MESSAGE_MALFORMED', says: 'does not begin as', isRefused: true },
    forged: { body: forged.sealCall(callOf('sturdy', ['x'])), code: 'MESSAGE_FORGED', says: 'sealed with the key', isRefused: true },
    altered: { body: Buffer.from(tea.replace('tea', 'gin')), code: 'MESSAGE_FORGED', says: 'does not match', isRefused: true },
    newer: { body: Buffer.from(tea.replace('errand/1 ', 'errand/2 ')), code: 'MESSAGE_TOO_NEW', says: 'version 2', isRefused: true },
    expired: { body: app.seal('sturdy', ['tea'], { expiresAt: Date.now() - 1000 }), code: 'MESSAGE_EXPIRED', says: 'could wait until', ...sturdy },
    misdirected: {
      body: misdirected.sealCall(callOf('sturdy', ['x'])),
      code: 'MESSAGE_MISDIRECTED',
      says: 'in elsewhere',
      task: 'sturdy',
      isRefused: true,
    },
    context: {
      body: app.sealText({ args: ['tea'], ctx: { headers: {}, user: instance } }),
      code: 'CONTEXT_UNRESTORABLE',
      says: 'context of the caller cannot be read',
      ...sturdy,
    },
    arguments: { body: app.sealText({ args: [instance] }), code: 'VALUE_UNREADABLE', says: lateClass, task: 'sturdy', runsAs: `sturdy ${lateClass}` },
  }
}

async function chosen(app: Application): Promise<void> {
  const { letters } = app
  const worker = await app.work()
  const context = { user: { id: 7 }, headers: { authorization: 'Bearer secret-of-ada', 'x-request-id': 'r1' }, url: 'http://a.example/x?k=secret' }
  const ofAda = await app.put(app.seal('fragile', ['tea'], { context }))
  const ofNobody = await app.put(app.seal('fragile', ['jam']))
  await app.put(app.seal('missing', []))
  await app.hasDead(3)
  await worker.stop()
  const counts = async (filter: Parameters<DeadLetters['list']>[0]): Promise<number> => (await letters.list(filter)).length

  expect(await counts({ task: 'fragile' })).to.equal(2)
  expect(await counts({ code: 'TASK_UNKNOWN' })).to.equal(1)
  expect(await counts({ queue: 'other' })).to.equal(0)
  expect(await counts({ since: '1h', until: new Date(Date.now() + 60_000) })).to.equal(3)
  expect(await counts({ until: '1h' })).to.equal(0)
  const [ada] = await letters.list({ user: 7 })
  expect(ada).to.deep.include({ id: ofAda, userId: '7', argumentTypes: ['string'] })
  expect(ada?.context).to.deep.include({ url: 'http://a.example/x', headers: { authorization: '***', 'x-request-id': 'r1' } })
  expect(JSON.stringify(await letters.list())).not.to.contain('secret')

  const [first] = await letters.list({ limit: 1 })
  const rest = await letters.list({ limit: 5, after: first?.id })
  expect([first, ...rest].map((letter) => letter?.id)).to.deep.equal((await letters.list()).map(({ id }) => id))
  expect(rest).to.have.length(2)

  const unread: string[] = []
  const onUnread = (queue: string): void => void unread.push(queue)
  expect(await letters.list({ read: 2, onUnread })).to.have.length(2)
  expect(await letters.list({ read: 3, onUnread })).to.have.length(3)
  expect(unread).to.have.length(1)
  expect(await codeOf(letters.list({ read: 0 }))).to.equal('OPTION_INVALID')

  expect(await letters.discard({ task: 'fragile' }, { dryRun: true })).to.deep.equal({ discarded: 2 })
  expect(await letters.discard(ofNobody)).to.deep.equal({ discarded: 1 })
  expect(await codeOf(letters.discard([ofNobody, ofAda]))).to.equal('DEAD_LETTER_UNKNOWN')
  expect(await codeOf(letters.get(ofAda))).to.equal('DEAD_LETTER_UNKNOWN')
  expect(await letters.replay({ code: 'TASK_UNKNOWN' }, { to: 'other' })).to.deep.equal({ replayed: 1, renewed: 0, refused: [] })
  await app.holds('other', { waiting: 1, dead: 0 })
  await app.holds('default', { waiting: 0, dead: 0 })
}

const MANY = 500

async function interrupted(scope: Scope, app: Application): Promise<void> {
  const burial = await app.broker.consume('default', { concurrency: 50 }, async () => ({ kind: 'dead', note: '{"code":"TASK_UNKNOWN"}' }))
  const ids = await Promise.all(Array.from({ length: MANY }, () => app.put(app.seal('sturdy', ['x']))))
  await app.hasDead(MANY)
  await burial.stop()
  const order = scope.file('replay.json')
  writeFileSync(order, JSON.stringify(app.given))

  const replayer = startProgram(scope, new URL('../kit/replay-main.js', import.meta.url), { args: [order] })
  const { signal } = await replayer.exited

  expect(signal, replayer.output).to.equal('SIGKILL')
  await until('the first of them in their queue', async () => (await app.broker.count('default')).waiting > 0)
  const waiting = await idsIn(app.broker, 'default')
  expect(waiting.length).to.be.within(1, MANY - 1)
  // what the killed process had in hand comes back when the broker has noticed
  await until('all of them', async () => {
    const found = new Set([...waiting, ...(await app.letters.list({ limit: MANY })).map(({ id }) => id)])
    return ids.every((id) => found.has(id))
  })
}

async function idsIn(broker: Broker, queue: string): Promise<readonly string[]> {
  const ids: string[] = []
  await broker.browse(queue, ({ id }) => {
    ids.push(id)
    return { kind: 'keep' }
  })
  return ids
}

async function codeOf(action: Promise<unknown>): Promise<unknown> {
  const error = await action.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  return error instanceof Error && 'code' in error ? error.code : error
}
