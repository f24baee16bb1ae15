import { expect } from 'chai'
import { ErrandError } from '#src/errors.js'
import type { Database } from '#src/sqlite/driver.js'
import { GroupCommit } from '#src/sqlite/group-commit.js'
import { untilNotBusy } from '#src/sqlite/lock.js'
import { migrate } from '#src/sqlite/migrate.js'
import { openDatabase } from '#src/sqlite/open.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

describe('a database shared by several connections', () => {
  const scope = eachScope()

  async function open(options: { durability?: 'full' | 'normal' } = {}): Promise<Database> {
    const db = await openDatabase({ file: scope().file('test.db'), ...options })
    scope().defer(() => db.close())
    return db
  }

  async function given() {
    const db = await open()
    db.exec('CREATE TABLE note (text TEXT NOT NULL) STRICT')
    const add = db.prepare('INSERT INTO note VALUES (?)')
    let commits = 0
    const writer = new GroupCommit(db, 'test.db', { after: () => void commits++ })
    const texts = () => db.prepare('SELECT text FROM note').all().map((row) => Object.values(row as object)[0])
    return { db, add, writer, texts, commits: () => commits }
  }

  async function failureOf(action: Promise<unknown>): Promise<unknown> {
    return action.then(() => 'no failure', (error: unknown) => error)
  }

  it('everything handed in within one turn of the event loop is one commit', async () => {
    const { add, writer, texts, commits } = await given()

    await Promise.all(['a', 'b', 'c'].map((text) => writer.submit(() => add.run(text))))

    expect(texts()).to.deep.equal(['a', 'b', 'c'])
    expect(commits()).to.equal(1)
  })

  it('each submitter gets its own answer', async () => {
    const { writer } = await given()

    expect(await Promise.all([1, 2, 3].map((number) => writer.submit(() => number * 2)))).to.deep.equal([2, 4, 6])
  })

  it('a change that cannot be stored fails alone; the others of its turn are stored once', async () => {
    const { add, writer, texts } = await given()

    const [one, bad, two] = await Promise.all([
      writer.submit(() => add.run('one')),
      failureOf(writer.submit(() => add.run(null))),
      writer.submit(() => add.run('two')),
    ])

    expect(bad).to.be.instanceOf(ErrandError).and.to.have.property('code', 'BROKER_UNREACHABLE')
    expect([one, two].every((answer) => answer !== undefined)).to.equal(true)
    expect(texts()).to.deep.equal(['one', 'two'])
  })

  it('while another connection holds the lock the event loop goes on, and the change is made afterwards', async () => {
    const { add, writer, texts } = await given()
    const other = await open()
    other.exec('BEGIN IMMEDIATE')
    let turns = 0
    const counting = setInterval(() => turns++, 1)
    scope().defer(() => clearInterval(counting))

    const change = writer.submit(() => add.run('late'))
    await until('twenty turns', () => turns >= 20)
    other.exec('COMMIT')
    await change

    expect(texts()).to.deep.equal(['late'])
  })

  it('waiting for a lock ends with the failure of SQLite when patience does', async () => {
    const { db } = await given()
    const other = await open()
    other.exec('BEGIN IMMEDIATE')

    expect(await failureOf(untilNotBusy(() => db.exec('BEGIN IMMEDIATE'), 30))).to.match(/locked/)
  })

  for (const [message, code, pragma] of [
    ['a full disk is QUEUE_FULL, and nothing of the change stays', 'QUEUE_FULL', 'max_page_count = 1'],
    ['a file that is read-only is BROKER_REFUSED', 'BROKER_REFUSED', 'query_only = ON'],
  ] as const) {
    it(message, async () => {
      const { db, add, writer, texts } = await given()
      db.exec(`PRAGMA ${pragma}`)

      const error = await failureOf(writer.submit(() => add.run('x'.repeat(100_000))))

      expect(error).to.be.instanceOf(ErrandError).and.to.have.property('code', code)
      expect(texts()).to.deep.equal([])
    })
  }

  it('the durability asked for is set, whatever the library was built with', async () => {
    const levels = [await open(), await open({ durability: 'normal' })].map((db) => db.prepare('PRAGMA synchronous').get())

    expect(levels.map((row) => ({ ...(row as object) }))).to.deep.equal([{ synchronous: 2 }, { synchronous: 1 }])
  })

  it('connections that migrate at the same moment make the tables once, and a further version is added to them', async () => {
    const all = await Promise.all([open(), open(), open()])
    const first = 'CREATE TABLE thing (name TEXT) STRICT; INSERT INTO thing VALUES (\'first\')'

    await Promise.all(all.map((db) => migrate(db, 'test.db', { part: 'things', versions: [first] })))
    const second = "INSERT INTO thing VALUES ('second')"
    await Promise.all(all.map((db) => migrate(db, 'test.db', { part: 'things', versions: [first, second] })))

    const names = all[0]?.prepare('SELECT name FROM thing').all().map((row) => Object.values(row as object)[0])
    expect(names).to.deep.equal(['first', 'second'])
  })

  it('tables of a newer release are refused and left as they are', async () => {
    const db = await open()
    await migrate(db, 'test.db', { part: 'things', versions: ['CREATE TABLE a (x)', 'CREATE TABLE b (x)'] })

    const error = await failureOf(migrate(db, 'test.db', { part: 'things', versions: ['CREATE TABLE a (x)'] }))

    expect(error).to.be.instanceOf(ErrandError).and.to.have.property('code', 'DRIVER_UNSUPPORTED')
  })
})
