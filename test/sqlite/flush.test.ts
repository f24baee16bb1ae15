import { expect } from 'chai'
import { pbkdf2 } from 'node:crypto'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { openSqliteBroker } from '#src/broker/sqlite/open.js'
import { Flush } from '#src/sqlite/flush.js'
import { GroupCommit } from '#src/sqlite/group-commit.js'
import { openDatabase } from '#src/sqlite/open.js'
import { eachScope, type Scope } from '../kit/temporary.js'
import { codeOf } from '../kit/code-of.js'
import { until } from '../kit/until.js'

const hash = promisify(pbkdf2)

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

  it('that fails refuses what waits for it and behind it, and the file is not written to any more', async () => {
    const disk = holdFlushes(scope())
    const broker = await openHeld(scope(), disk)

    const one = codeOf(broker.publish(MESSAGE))
    await until('the flush', () => disk.held.length > 0)
    const two = codeOf(broker.publish({ ...MESSAGE, id: 'two' }))
    await until('the second message', async () => (await broker.count('work')).waiting === 2)
    disk.release(NO_DISK)

    expect([await one, await two]).to.deep.equal(['PUBLISH_TIMEOUT', 'PUBLISH_TIMEOUT'])
    const refusal = await broker.publish({ ...MESSAGE, id: 'three' }).catch((error: unknown) => error)
    expect(refusal).to.have.property('code', 'BROKER_UNREACHABLE')
    expect(refusal).to.have.property('message').that.matches(/could not be flushed to the disk \(EIO\).*restart every process/)
    await broker.close()
  })

  it('that fails for something that nobody waits for ends the use of the file as well', async () => {
    const { disk, writer, add, failures } = await givenWriter(scope())

    await writer.submit(() => add.run('early'), { early: true })
    await until('its flush', () => disk.held.length > 0)
    disk.release(NO_DISK)
    await until('the failure', () => failures.length > 0)

    expect(await codeOf(writer.submit(() => add.run('late')))).to.equal('PUBLISH_TIMEOUT')
  })

  it('goes round the pool of threads where an application has filled it', async () => {
    const broker = scope().use(await openSqliteBroker({ file: scope().file('queue.db') }))
    let running = 16
    const hashes = Array.from({ length: running }, () => hash('password', 'salt', 400_000, 32, 'sha512').then(() => running--))

    await broker.publish(MESSAGE)

    expect(running).to.be.greaterThan(0)
    await Promise.all(hashes)
  })

  it('is that of the file itself where it is reached by a link', async () => {
    const [file, link] = [scope().file('queue.db'), join(scope().folder(), 'link.db')]
    await (await openSqliteBroker({ file })).close()
    fs.symlinkSync(file, link)
    const broker = scope().use(await openSqliteBroker({ file: link }))

    await broker.publish(MESSAGE)

    expect(await broker.count('work')).to.deep.equal({ waiting: 1, dead: 0 })
  })

  it('has to be over before anybody is told of an outcome', async () => {
    const disk = holdFlushes(scope())
    const broker = scope().use(await openHeld(scope(), disk))
    const told: string[] = []
    disk.release()
    await broker.consume('replies', { concurrency: 1, temporary: true }, async ({ id }) => {
      told.push(id)
      return { kind: 'done' }
    })
    disk.hold()

    const answering = broker.publish({ ...MESSAGE, queue: 'replies', toTemporary: true })
    await until('both flushes, of who answers and of who is told', () => disk.held.length > 0)
    await until('the turn of who is told', () => new Promise((resolve) => setImmediate(() => resolve(true))))
    expect(told).to.deep.equal([])
    disk.release()
    await answering

    await until('the outcome', () => told.length > 0)
  })

  it('is waited for no longer than for what came before, however much follows', async () => {
    const { disk, writer, flush, add } = await givenWriter(scope())
    disk.release()
    let isOver = false
    const writing = Array.from({ length: 8 }, async () => {
      while (!isOver) await writer.submit(() => add.run('more'))
    })

    await flush.idle()

    isOver = true
    await Promise.all(writing)
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
  const failures: unknown[] = []
  const flush = new Flush(file, (error) => void failures.push(error))
  scope.defer(() => flush.close())
  const writer = new GroupCommit(db, file, { flush })
  return { disk, db, writer, flush, failures, add: db.prepare('INSERT INTO thing VALUES (?)') }
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
