import { expect } from 'chai'
import { ErrandError } from 'errand'
import type { OutgoingMessage } from '#src/broker/broker.js'
import type { Logger } from '#src/core/logger.js'
import { boundChange } from '#src/store/bounds.js'
import { openMemoryStore } from '#src/store/memory.js'
import { UNFINISHED, type Store } from '#src/store/store.js'
import type { OneFile, Sending } from '#src/runtime/tracking/one-file.js'
import { Tracking } from '#src/runtime/tracking/tracking.js'
import { FakeClock } from '../kit/fake-clock.js'

const CALL = { kind: 'announced', id: 'one', task: 'Shop.buy', queue: 'default', createdAt: 1 } as const
const DAY_MS = 86_400_000

describe('What is written down of tasks', () => {
  it('is announced beside the message, and a message that was refused is a failed task with the code', async () => {
    const { tracking, store } = given()

    await tracking.announce(CALL, sending())
    const call = tracking.announce({ ...CALL, id: 'two' }, refused('QUEUE_FULL'))

    expect(await codeOf(call)).to.equal('QUEUE_FULL')
    expect(await store.find({ id: 'one' })).to.include({ state: 'queued' })
    expect(await store.find({ id: 'two' })).to.deep.include({ state: 'failed' }).and.have.nested.property('error.code', 'QUEUE_FULL')
  })

  it('stays queued where nobody knows whether the message was stored: a worker has the last word', async () => {
    const { tracking, store } = given()

    await codeOf(tracking.announce(CALL, refused('PUBLISH_TIMEOUT')))

    expect(await store.find({ id: 'one' })).to.include({ state: 'queued' })
  })

  it('gives the key of a call free at once when its message is refused', async () => {
    const { tracking, store } = given()
    const flight = { key: 'k', join: UNFINISHED }
    const call = tracking.announceOnce(flight, CALL, refused('QUEUE_FULL'))
    expect(await codeOf(call)).to.equal('QUEUE_FULL')

    const begun = await tracking.announceOnce(flight, { ...CALL, id: 'two' }, sending())

    expect(begun.isNew).to.equal(true)
    expect(await store.find({ id: 'one' })).to.include({ state: 'failed' })
    expect(await store.find({ id: 'two' })).not.to.have.property('sendingUntil')
  })

  it('sends no call with a key while the store is away: nobody knows what runs', async () => {
    const { tracking, fail } = given()
    fail('STORE_UNREACHABLE')
    let published = 0

    const call = tracking.announceOnce({ key: 'k', join: UNFINISHED }, CALL, sending(() => void published++))

    expect(await codeOf(call)).to.equal('STORE_UNREACHABLE')
    expect(published).to.equal(0)
  })

  it('holds up nobody while the store is away, is warned of once, and goes on when it is back', async () => {
    const { tracking, store, fail, said } = given()
    fail('STORE_UNREACHABLE')
    const published: number[] = []
    await tracking.announce(CALL, sending(() => void published.push(1)))
    await tracking.announce({ ...CALL, id: 'two' }, sending(() => void published.push(2)))
    expect(await tracking.record([{ kind: 'cancelled', id: 'one', at: 2 }])).to.equal(undefined)

    fail(undefined)
    await tracking.record([{ ...CALL, id: 'three' }])
    await tracking.record([{ ...CALL, id: 'four' }])

    expect(published).to.deep.equal([1, 2])
    expect(said.map(([level]) => level)).to.deep.equal(['warn', 'info'])
    expect(await store.find({ id: 'four' })).to.include({ state: 'queued' })
  })

  it('does not wait at all once the store was found away', async () => {
    const { tracking, fail, hang } = given()
    fail('STORE_UNREACHABLE')
    await tracking.record([{ ...CALL }])
    hang()

    expect(await tracking.record([{ ...CALL }])).to.equal(undefined)
  })

  it('publishes alone what a common transaction cannot describe to the store', async () => {
    const { tracking, said } = given({ hasRoom: true })
    let published = 0

    await tracking.announce({ ...CALL, owner: '' }, sending(() => void published++))

    expect(published).to.equal(1)
    expect(said).to.have.length(1)
  })

  it('is said to be kept again when a call was stored together with its message', async () => {
    const { tracking, said, fail } = given({ hasRoom: true })
    fail('STORE_UNREACHABLE')
    await tracking.record([{ ...CALL }])
    await tracking.announce({ ...CALL, id: 'two' }, sending())

    expect(said.map(([level]) => level)).to.deep.equal(['warn', 'info'])
  })

  it('is kept for the time of its task, or of the configuration, by how it ended', () => {
    const { tracking } = given()

    expect([tracking.expiryOf('completed', undefined), tracking.expiryOf('failed', undefined), tracking.expiryOf('failed', 5)]).to.deep.equal([
      DAY_MS,
      30 * DAY_MS,
      5,
    ])
  })

  it('is unknown after that time, and each change renews it (items 81 and 105)', async () => {
    const { tracking, store, clock } = given()
    const run = { attempt: 1, startedAt: 0, worker: { host: 'h', pid: 1 } }
    await store.record([{ ...CALL, expiresAt: 100 }, { kind: 'started', id: 'one', at: 0, run }])
    await store.record([{ kind: 'progressed', id: 'one', at: 0, run, step: 1, progress: { value: 5 }, expiresAt: 200 }])

    await clock.pass(100)
    expect(await store.find({ id: 'one' })).to.include({ state: 'running' })
    await tracking.record([{ kind: 'completed', id: 'one', at: 100, run, expiresAt: tracking.expiryOf('completed', undefined) }])
    await clock.pass(DAY_MS - 1)
    expect(await store.find({ id: 'one' })).to.include({ state: 'completed' })
    await clock.pass(1)

    expect(await store.find({ id: 'one' })).to.equal(undefined)
  })
})

const MESSAGE: OutgoingMessage = { id: 'one', queue: 'default', body: Buffer.from('body') }

const sending = (onSent: () => void = () => {}): Sending => ({ message: MESSAGE, send: async () => onSent() })

const refused = (code: 'QUEUE_FULL' | 'PUBLISH_TIMEOUT'): Sending => ({ message: MESSAGE, send: () => Promise.reject(new ErrandError(code, 'No.')) })

function given({ hasRoom = false }: { readonly hasRoom?: boolean } = {}) {
  const clock = new FakeClock(0)
  const store = openMemoryStore({ clock })
  const said: [string, string][] = []
  const log: Logger = {
    debug: () => {},
    info: (text) => void said.push(['info', text]),
    warn: (text) => void said.push(['warn', text]),
    error: (text) => void said.push(['error', text]),
  }
  let code: 'STORE_UNREACHABLE' | undefined
  let hangs = false
  const away: Store = {
    record: (changes) => {
      if (hangs) return new Promise(() => {})
      return code === undefined ? store.record(changes) : Promise.reject(new ErrandError(code, 'The store is away.'))
    },
    begin: (key, announcement, join) =>
      code === undefined ? store.begin(key, announcement, join) : Promise.reject(new ErrandError(code, 'The store is away.')),
    find: (by) => store.find(by),
    search: (search) => store.search(search),
    watch: (ids, onChange) => store.watch(ids, onChange),
    expire: () => store.expire(),
    close: () => store.close(),
    [Symbol.asyncDispose]: () => store.close(),
  }
  const settings = { keepCompletedMs: DAY_MS, keepFailedMs: 30 * DAY_MS }
  // this store cannot write within a transaction: what it may not record it refuses before
  const oneFile: OneFile = {
    recording: (changes) => {
      for (const change of changes) boundChange(change)
      return () => []
    },
    beginning: () => () => expect.fail('nothing has a key here'),
    beginRun: () => false,
    publishing: () => () => true,
    submit: async (work) => work(),
  }
  const tracking = new Tracking({ store: away, oneFile: hasRoom ? oneFile : undefined, settings, clock, log })
  return { tracking, store, clock, said, fail: (given: typeof code) => void (code = given), hang: () => void (hangs = true) }
}

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no error',
    (error: unknown) => Reflect.get(Object(error), 'code'),
  )
