import { expect } from 'chai'
import { systemClock, type Clock } from '#src/core/clock.js'
import { openSqliteLocks } from '#src/broker/sqlite/locks.js'
import { openDatabase } from '#src/sqlite/open.js'
import { locksContract } from '../contract/locks-contract.js'
import { holdInProcess } from '../kit/locks-holder.js'
import { eachScope, type Scope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

const open = (scope: Scope) => openSqliteLocks({ file: scope.file('queue.db') })

/** As other processes do with one that was silent for too long. */
async function forgetOwners(file: string): Promise<void> {
  const db = await openDatabase({ file })
  db.exec('DELETE FROM locks_name')
  db.exec('DELETE FROM locks_owner')
  db.close()
}

locksContract('sqlite', {
  open,
  second: open,
  holdElsewhere: (scope, name) => holdInProcess(scope, { kind: 'sqlite', file: scope.file('queue.db') }, name),
  fragile: async (scope) => ({ locks: await open(scope), cut: () => forgetOwners(scope.file('queue.db')) }),
})

describe('locks in an SQLite file', () => {
  const scope = eachScope()

  it('are kept apart by namespace', async () => {
    const file = scope().file('queue.db')
    const shop = scope().use(await openSqliteLocks({ file, namespace: 'shop' }))
    const bank = scope().use(await openSqliteLocks({ file, namespace: 'bank' }))

    await shop.take('a')

    expect(await bank.take('a')).not.to.equal(undefined)
  })

  it('serve a process that others had taken for dead again, under a new number', async () => {
    const locks = scope().use(await open(scope()))
    await locks.take('a')
    await forgetOwners(scope().file('queue.db'))

    expect(await locks.take('b')).not.to.equal(undefined)
    expect(await (await open(scope())).take('b')).to.equal(undefined)
  })

  it('say which file was removed under them, and what was held is lost', async () => {
    const file = scope().file('queue.db')
    let now = Date.now()
    const clock: Clock = { now: () => now, after: (ms, fn) => systemClock.after(ms, fn) }
    const locks = scope().use(await openSqliteLocks({ file, clock }))
    const held = await locks.take('a')
    const { rmSync } = await import('node:fs')
    rmSync(file)
    now += 2_000

    const refused: unknown = await locks.take('b').catch((error: unknown) => error)

    expect(refused).to.have.property('code', 'BROKER_UNREACHABLE')
    await until('the loss', () => held?.lost.aborted === true)
  })
})
