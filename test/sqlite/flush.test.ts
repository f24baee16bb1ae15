import { expect } from 'chai'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { openSqliteBroker } from '#src/broker/sqlite/open.js'
import { Flush } from '#src/sqlite/flush.js'
import { GroupCommit } from '#src/sqlite/group-commit.js'
import { openDatabase } from '#src/sqlite/open.js'
import { eachScope, type Scope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

const MESSAGE = { id: 'one', queue: 'work', body: Buffer.from('body') }
const NO_DISK = Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' })

describe('The flush of what was committed', () => {
  const scope = eachScope()

  it('is waited for by who made a change, and by nobody who looks at it', async () => {
    const disk = holdFlushes(scope())
    const broker = scope().use(await openHeld(scope(), disk))
    let isStored = false

    const publishing = broker.publish(MESSAGE).then(() => (isStored = true))
    await until('the flush', () => disk.held.length > 0)

    expect(await broker.count('work')).to.deep.equal({ waiting: 1, dead: 0 })
    expect(isStored).to.equal(false)
    disk.release()
    await publishing
  })

  it('holds up no run: a message is delivered while its call still waits', async () => {
    const disk = holdFlushes(scope())
    const broker = scope().use(await openHeld(scope(), disk))
    const came: string[] = []
    let isStored = false
    disk.release()
    await broker.consume('work', { concurrency: 1 }, async ({ id }) => {
      came.push(id)
      return { kind: 'done' }
    })
    disk.hold()

    const publishing = broker.publish(MESSAGE).then(() => (isStored = true))
    await until('the delivery', () => came.length > 0)

    expect(isStored).to.equal(false)
    disk.release()
    await publishing
  })

  it('that fails refuses what nobody knows to be stored, and what comes after it is stored', async () => {
    const disk = holdFlushes(scope())
    const broker = scope().use(await openHeld(scope(), disk))

    const publishing = broker.publish(MESSAGE).then(() => 'stored', (error: { code?: string }) => error.code)
    await until('the flush', () => disk.held.length > 0)
    disk.release(NO_DISK)

    expect(await publishing).to.equal('PUBLISH_TIMEOUT')
    await broker.publish({ ...MESSAGE, id: 'two' })
    expect(await broker.count('work')).to.deep.equal({ waiting: 2, dead: 0 })
  })

  it('is one for all commits that came while another ran', async () => {
    const { disk, db, writer, add } = await givenWriter(scope())
    const all: Promise<unknown>[] = []
    for (const name of ['a', 'b', 'c', 'd']) {
      all.push(writer.submit(() => add.run(name)))
      await until('its commit', () => db.prepare('SELECT 1 FROM thing WHERE name = ?').get(name))
    }

    expect(disk.begun).to.equal(1)
    disk.release()
    await Promise.all(all)
    expect(disk.begun).to.equal(2)
  })

  it('is not waited for by a change that a power cut would make void anyway', async () => {
    const { disk, writer, add } = await givenWriter(scope())
    const ended: string[] = []

    const lasting = writer.submit(() => add.run('lasting')).then(() => ended.push('lasting'))
    await writer.submit(() => add.run('early'), { early: true })
    ended.push('early')
    disk.release()
    await lasting

    expect(ended).to.deep.equal(['early', 'lasting'])
  })

  it('comes soon also for changes that nobody waits for, and at the latest with the end', async () => {
    const { disk, writer, flush, add } = await givenWriter(scope())

    await writer.submit(() => add.run('one'), { early: true })
    await until('its flush', () => disk.begun === 1)
    disk.release()
    await writer.submit(() => add.run('two'), { early: true })
    await writer.idle()
    flush.close()

    expect(disk.begun).to.equal(2)
  })

  it('is over when the file is closed', async () => {
    const disk = holdFlushes(scope())
    const broker = await openHeld(scope(), disk)
    const ended: string[] = []

    const publishing = broker.publish(MESSAGE).then(() => ended.push('published'))
    await until('the flush', () => disk.held.length > 0)
    const closing = broker.close().then(() => ended.push('closed'))
    expect(ended).to.deep.equal([])
    disk.release()
    await Promise.all([publishing, closing])

    expect(ended).to.deep.equal(['published', 'closed'])
  })

  it('is left out where a power cut may take the last commits', async () => {
    const disk = holdFlushes(scope())
    const broker = scope().use(await openSqliteBroker({ file: scope().file('queue.db'), durability: 'normal' }))

    await broker.publish(MESSAGE)

    expect(disk.begun).to.equal(0)
  })
})

async function givenWriter(scope: Scope) {
  const disk = holdFlushes(scope)
  const file = scope.file('test.db')
  const db = await openDatabase({ file, durability: 'normal' })
  scope.defer(() => db.close())
  db.exec('CREATE TABLE thing (name TEXT)')
  const flush = new Flush(file)
  scope.defer(() => flush.close())
  const writer = new GroupCommit(db, file, { flush })
  return { disk, db, writer, flush, add: db.prepare('INSERT INTO thing VALUES (?)') }
}

/** A broker that is open; its own flushes are through. */
async function openHeld(scope: Scope, disk: ReturnType<typeof holdFlushes>) {
  disk.release()
  const broker = await openSqliteBroker({ file: scope.file('queue.db') })
  disk.hold()
  return broker
}

/** A disk that takes as long as the test likes. */
function holdFlushes(scope: Scope) {
  const { fdatasync } = fs
  const disk = {
    begun: 0,
    held: [] as ((error?: Error) => void)[],
    isHolding: true,
    hold: () => void (disk.isHolding = true),
    release(error?: Error) {
      disk.isHolding = false
      for (const go of disk.held.splice(0)) go(error)
    },
  }
  const patched = (descriptor: number, done: (error: Error | null) => void): void => {
    disk.begun++
    const go = (error?: Error): void => (error === undefined ? fdatasync(descriptor, done) : done(error))
    if (disk.isHolding) disk.held.push(go)
    else go()
  }
  Object.assign(fs, { fdatasync: patched })
  syncBuiltinESMExports()
  scope.defer(() => {
    disk.release()
    Object.assign(fs, { fdatasync })
    syncBuiltinESMExports()
  })
  return disk
}
