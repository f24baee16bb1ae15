import { expect } from 'chai'
import { around, asyncTask, currentTask } from 'errand'
import { currentClient, taskClient, transactionPerTask, type TransactionPerTaskOptions } from 'errand/pg'
import { startTesting, type Testing } from 'errand/testing'
import type pg from 'pg'
import { describePostgres } from '../kit/postgres.js'
import { freshDatabase, type TestDatabase } from '../kit/postgres-database.js'
import { eachScope } from '../kit/temporary.js'
import { openTransactionalApp } from '../kit/transactional-app.js'
import { until } from '../kit/until.js'

/** What the bodies do, as the test wants it. */
let inBody: (client: pg.PoolClient | undefined) => Promise<void> = async () => {}

const book = asyncTask(async function bookInPg(text: string): Promise<void> {
  await currentClient()?.query('INSERT INTO book (text, attempt) VALUES ($1, $2)', [text, currentTask().attempt])
  await inBody(currentClient())
}, { retries: 1, backoff: 0 })
const shelve = asyncTask(async function shelveInPg(): Promise<void> {
  await inBody(currentClient())
})

describePostgres('A transaction of pg for each task', function () {
  this.timeout(120_000)
  const scope = eachScope()
  let database: TestDatabase
  let pool: pg.Pool
  let testing: Testing

  async function given(options: TransactionPerTaskOptions = {}): Promise<void> {
    inBody = async () => {}
    database = await freshDatabase(scope())
    await database.rows('CREATE TABLE book (text text UNIQUE DEFERRABLE INITIALLY DEFERRED, attempt int)')
    pool = database.pool(1)
    scope().defer(around(transactionPerTask(pool, options)))
    testing = await startTesting()
    scope().defer(() => testing.stop())
  }
  const books = async () => (await database.rows<{ text: string }>('SELECT text FROM book ORDER BY text')).map(({ text }) => text)
  const codes = () => testing.failures.map(({ data }) => data.code)

  it('is committed when the body ends well, and nobody sees its rows before', async () => {
    await given()
    let before: readonly string[] = ['not asked']
    inBody = async () => void (before = await books())

    await book('tea')
    await testing.idle()

    expect([before, await books()]).to.deep.equal([[], ['tea']])
  })

  it('is rolled back when the body throws, and the next run has a new one', async () => {
    await given()
    inBody = async () => {
      if (currentTask().attempt === 1) throw new Error('half way')
    }

    await book('tea')
    await testing.idle()

    expect(await database.rows('SELECT * FROM book')).to.deep.equal([{ text: 'tea', attempt: 2 }])
  })

  it('gives its client back in any case: with a pool of one, fifty tasks end of which some fail', async () => {
    await given()
    inBody = async (client) => {
      const { rows } = await client?.query('SELECT count(*)::int AS count FROM book') ?? { rows: [] }
      if (currentTask().attempt === 1 && (rows[0]?.count ?? 0) % 5 === 3) throw new Error('every fifth')
    }

    const texts = Array.from({ length: 50 }, (_, index) => `book ${String(index).padStart(2, '0')}`)
    await Promise.all(texts.map((text) => book(text)))
    await testing.idle()

    expect(await books()).to.deep.equal(texts)
    expect(testing.failures.length).to.be.greaterThan(5)
    expect([pool.totalCount, pool.idleCount]).to.deep.equal([1, 1])
  })

  it('fails the task when its commit fails, which is then retried', async () => {
    await given()
    await database.rows("INSERT INTO book VALUES ('tea', 0)")

    await book('tea')
    await testing.idle()

    expect(codes()).to.deep.equal(['23505', '23505'])
    expect(testing.failures.map(({ data }) => data.status)).to.deep.equal(['retrying', 'failed'])
  })

  it('fails a body that passed over a failed statement: what it wrote is gone', async () => {
    await given()
    inBody = async (client) => void (await client?.query('SELECT * FROM nowhere').catch(() => {}))

    await book('tea')
    await testing.idle()

    expect(codes()).to.deep.equal(['TRANSACTION_ABORTED', 'TRANSACTION_ABORTED'])
    expect(await books()).to.deep.equal([])
  })

  it('survives a connection that breaks under the body: the run fails, the process goes on, the pool gets a new one', async () => {
    await given()
    inBody = async (client) => {
      if (currentTask().attempt > 1) return
      const { rows } = (await client?.query('SELECT pg_backend_pid() AS pid')) ?? { rows: [] }
      await database.rows('SELECT pg_terminate_backend($1)', [rows[0]?.pid])
      await client?.query('SELECT 1')
    }

    await book('tea')
    await testing.idle()

    expect(await books()).to.deep.equal(['tea'])
    expect(testing.failures).to.have.length(1)
  })

  it('has the isolation level that was asked for', async () => {
    await given({ isolation: 'serializable' })
    let level: unknown
    inBody = async () => void (level = (await taskClient().query('SHOW transaction_isolation')).rows[0]?.transaction_isolation)

    await shelve()
    await testing.idle()

    expect(level).to.equal('serializable')
  })

  for (const tasks of [['shelveInPg'], (task: string) => task.startsWith('shelve')]) {
    it(`is begun only for the tasks that are named by ${Array.isArray(tasks) ? 'a list' : 'a function'}`, async () => {
      await given({ tasks })
      const clients: boolean[] = []
      inBody = async (client) => void clients.push(client !== undefined)

      await shelve()
      await testing.idle()
      await book('tea')
      await testing.idle()

      expect(clients).to.deep.equal([true, false])
    })
  }

  it('sends the calls of a body at its commit where that is asked for, and never those of a run that failed', async () => {
    database = await freshDatabase(scope())
    scope().defer(around(transactionPerTask(database.pool(), { sendOnCommit: true, tasks: ['bookInPg'] })))
    const app = await openTransactionalApp(scope(), database.url)
    await app.relay()
    await database.rows('CREATE TABLE book (text text, attempt int)')
    let shelved = 0
    inBody = async (client) => {
      if (client === undefined) return void shelved++
      await shelve()
      if (currentTask().attempt === 1) throw new Error('half way')
    }

    await book('tea')
    await until('the call of the second run', () => shelved > 0)

    expect(app.published).to.have.length(2)
    // a row goes once the broker has confirmed its message, which may have run by then
    await until('an empty table', async () => (await database.rows('SELECT * FROM errand.errand_outbox')).length === 0)
    expect(await database.rows('SELECT * FROM errand.errand_outbox')).to.deep.equal([])
  })

  it('is refused with options that mean nothing, and there is none outside of a task', async () => {
    await given()
    // a program without types can hand over anything
    const wrong = [{ isolation: 'total' }, { tasks: 'book' }, { sendOnCommit: 1 }, { level: 1 }] as unknown as TransactionPerTaskOptions[]

    for (const options of wrong) expect(() => transactionPerTask(pool, options)).to.throw().with.property('code', 'OPTION_INVALID')
    expect(currentClient()).to.equal(undefined)
    expect(taskClient).to.throw().with.property('code', 'NOT_IN_TASK')
  })
})
