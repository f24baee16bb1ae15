import { expect } from 'chai'
import { renameSync, writeFileSync } from 'node:fs'
import { newId } from '#src/core/clock.js'
import { openSqliteStore } from '#src/store/sqlite/open.js'
import { storeContract } from '../contract/store-contract.js'
import { TestClock } from '../contract/store-case.js'
import { eachScope } from '../kit/temporary.js'

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
})
