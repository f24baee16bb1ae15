import { expect } from 'chai'
import { around, asyncTask, currentTask } from 'errand'
import { currentTransaction, taskTransaction, transactionPerTask, type TransactionPerTaskOptions } from 'errand/knex'
import { startTesting, type Testing } from 'errand/testing'
import knexOf, { type Knex } from 'knex'
import { describePostgres } from '../kit/postgres.js'
import { freshDatabase, type TestDatabase } from '../kit/postgres-database.js'
import { eachScope } from '../kit/temporary.js'
import { openTransactionalApp } from '../kit/transactional-app.js'
import { until } from '../kit/until.js'

/** What the bodies do, as the test wants it. */
let inBody: (transaction: Knex.Transaction | undefined) => Promise<void> = async () => {}

const book = asyncTask(async function bookInKnex(text: string): Promise<void> {
  await currentTransaction()?.('book').insert({ text, attempt: currentTask().attempt })
  await inBody(currentTransaction())
}, { retries: 1, backoff: 0 })
const shelve = asyncTask(async function shelveInKnex(): Promise<void> {
  await inBody(currentTransaction())
})

describePostgres('A transaction of knex for each task', function () {
  this.timeout(120_000)
  const scope = eachScope()
  let database: TestDatabase
  let knex: Knex
  let testing: Testing

  async function given(options: TransactionPerTaskOptions = {}, max = 1): Promise<void> {
    inBody = async () => {}
    database = await freshDatabase(scope())
    await database.rows('CREATE TABLE book (text text UNIQUE DEFERRABLE INITIALLY DEFERRED, attempt int)')
    knex = knexOf({ client: 'pg', connection: database.url, pool: { min: 0, max } })
    scope().defer(() => knex.destroy())
    scope().defer(around(transactionPerTask(knex, options)))
  }
  async function started(): Promise<void> {
    testing = await startTesting()
    scope().defer(() => testing.stop())
  }
  const books = async () => (await database.rows<{ text: string }>('SELECT text FROM book ORDER BY text')).map(({ text }) => text)

  it('is committed when the body ends well, and rolled back when it throws', async () => {
    await given()
    await started()
    inBody = async () => {
      if (currentTask().attempt === 1) throw new Error('half way')
    }

    await book('tea')
    await testing.idle()

    expect(await database.rows('SELECT * FROM book')).to.deep.equal([{ text: 'tea', attempt: 2 }])
  })

  it('gives its connection back in any case: with a pool of one, fifty tasks end of which some fail', async () => {
    await given()
    await started()
    let runs = 0
    inBody = async () => {
      if (currentTask().attempt === 1 && ++runs % 5 === 0) throw new Error('every fifth')
    }

    const texts = Array.from({ length: 50 }, (_, index) => `book ${String(index).padStart(2, '0')}`)
    await Promise.all(texts.map((text) => book(text)))
    await testing.idle()

    expect(await books()).to.deep.equal(texts)
    expect(testing.failures).to.have.length(10)
    expect(await knex('book').count()).to.deep.equal([{ count: '50' }])
  })

  it('fails the task when its commit fails, and a body that passed over a failed statement', async () => {
    await given()
    await started()
    await database.rows("INSERT INTO book VALUES ('tea', 0)")
    await book('tea')
    await testing.idle()

    inBody = async (transaction) => void (await transaction?.raw('SELECT * FROM nowhere').catch(() => {}))
    await book('jam')
    await testing.idle()

    const codes = testing.failures.map(({ data }) => data.code)
    expect(codes).to.deep.equal(['23505', '23505', 'TRANSACTION_ABORTED', 'TRANSACTION_ABORTED'])
    expect(await books()).to.deep.equal(['tea'])
  })

  it('has the isolation level that was asked for, and is begun only for the tasks that are named', async () => {
    await given({ isolation: 'repeatable read', tasks: ['shelveInKnex'] })
    await started()
    const levels: unknown[] = []
    inBody = async (transaction) => {
      if (transaction === undefined) return void levels.push('none')
      levels.push((await taskTransaction().raw('SHOW transaction_isolation')).rows[0]?.transaction_isolation)
    }

    await shelve()
    await testing.idle()
    await book('tea')
    await testing.idle()

    expect(levels).to.deep.equal(['repeatable read', 'none'])
    expect(taskTransaction).to.throw().with.property('code', 'NOT_IN_TASK')
  })

  it('sends the calls of a body at its commit where that is asked for, and never those of a run that failed', async () => {
    await given({ sendOnCommit: true, tasks: ['bookInKnex'] }, 4)
    const app = await openTransactionalApp(scope(), database.url)
    await app.relay()
    let shelved = 0
    inBody = async (transaction) => {
      if (transaction === undefined) return void shelved++
      await shelve()
      if (currentTask().attempt === 1) throw new Error('half way')
    }

    await book('tea')
    await until('the call of the second run', () => shelved > 0)

    expect(app.published).to.have.length(2)
  })
})
