import { expect } from 'chai'
import { renameSync, writeFileSync } from 'node:fs'
import { newId } from '#src/core/clock.js'
import { migrate } from '#src/sqlite/migrate.js'
import { openDatabase } from '#src/sqlite/open.js'
import { STORE_SCHEMA } from '#src/store/sqlite/schema.js'
import { openSqliteStore } from '#src/store/sqlite/open.js'
import { storeContract } from '../contract/store-contract.js'
import { TestClock } from '../contract/store-case.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

storeContract('sqlite', {
  open: (scope, clock) => openSqliteStore({ file: scope.file('states.db'), clock }),
  address: (scope) => ({ driver: 'sqlite', file: scope.file('states.db') }),
})

describe('the SQLite store and its file', () => {
  const scope = eachScope()
  const call = (id: string) => ({ kind: 'announced', id, task: 'Shop.buy', queue: 'q', createdAt: 1, key: 'k' }) as const
  const codeOf = (operation: Promise<unknown>): Promise<unknown> => operation.catch((error: { code?: string }) => error.code)

  it('keeps the services of one file apart', async () => {
    const open = async (namespace: string) => scope().use(await openSqliteStore({ file: scope().file('states.db'), namespace }))
    const [one, two] = [await open('one'), await open('two')]
    const id = newId()
    await one.record([call(id)])
    expect(await two.find({ id })).to.equal(undefined)
    expect(await two.find({ key: 'k' })).to.equal(undefined)
    expect((await two.search({})).records).to.deep.equal([])
    expect(await one.find({ key: 'k' })).to.include({ id })
  })

  it('refuses to go on in a file that was replaced, with STORE_UNREACHABLE', async () => {
    const clock = new TestClock()
    const file = scope().file('states.db')
    const store = scope().use(await openSqliteStore({ file, clock }))
    await store.record([call(newId())])
    renameSync(file, `${file}-old`)
    clock.forward(2_000)
    expect(await codeOf(store.record([call(newId())]))).to.equal('STORE_UNREACHABLE')
    expect(await codeOf(store.find({ key: 'k' }))).to.equal('STORE_UNREACHABLE')
  })

  it('refuses a file whose folder cannot be made with STORE_REFUSED, and options that cannot be', async () => {
    const file = scope().file('no-folder')
    writeFileSync(file, '')
    expect(await codeOf(openSqliteStore({ file: `${file}/states.db` }))).to.equal('STORE_REFUSED')
    expect(await codeOf(openSqliteStore({ file: '' }))).to.equal('OPTION_INVALID')
  })

  it('reads and goes on with the tasks of a file of the release before', async () => {
    const file = scope().file('states.db')
    const db = await openDatabase({ file })
    await migrate(db, file, { ...STORE_SCHEMA, versions: STORE_SCHEMA.versions.slice(0, 1) })
    const record = { id: 'old', task: 'Shop.buy', queue: 'q', state: 'queued', createdAt: 1, changedAt: 1, tags: [], runs: [], progress: { value: -1 } }
    db.prepare(
      `INSERT INTO store_task (namespace, id, task, queue, state, tags, created, change, words, record)
       VALUES ('', 'old', '"Shop.buy"', '"q"', 'queued', '[]', 1, 1, 'old', ?)`,
    ).run(JSON.stringify(record))
    db.close()

    const store = scope().use(await openSqliteStore({ file }))
    expect(await store.find({ id: 'old' })).to.deep.equal(record)
    const run = { attempt: 1, startedAt: 2, worker: { host: 'h', pid: 1 } }
    await store.record([{ kind: 'started', id: 'old', at: 2, run }])
    await store.record([{ kind: 'completed', id: 'old', at: 3, run, result: '7' }])
    expect(await store.find({ id: 'old' })).to.deep.include({ state: 'completed', result: '7', runs: [{ ...run, endedAt: 3, outcome: 'completed' }] })
  })

  it('tells a watcher that slept through more than is kept of every task there is', async () => {
    const file = scope().file('states.db')
    const store = scope().use(await openSqliteStore({ file }))
    const [one, other] = [newId(), newId()]
    await store.record([call(one), { ...call(other), key: 'l' }])
    const told = new Set<string>()
    await store.watch('all', (id) => told.add(id))

    const db = await openDatabase({ file })
    scope().defer(() => db.close())
    db.exec("DELETE FROM store_news; INSERT INTO store_news VALUES (90000, 'another', '[]')")

    await until('both', () => told.has(one) && told.has(other))
  })
})
