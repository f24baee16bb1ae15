import { expect } from 'chai'
import { asyncTask, background, context, enqueue, original, tasks, withContext, withTransaction, type ErrandError } from 'errand'
import { startTesting } from 'errand/testing'
import knexOf from 'knex'
import type pg from 'pg'
import { describePostgres } from '../kit/postgres.js'
import { freshDatabase, type TestDatabase } from '../kit/postgres-database.js'
import { eachScope } from '../kit/temporary.js'
import { openTransactionalApp } from '../kit/transactional-app.js'
import { until } from '../kit/until.js'

const runs: string[] = []

class Post {
  @asyncTask()
  async send(text: string): Promise<void> {
    runs.push(text)
  }

  @asyncTask()
  async whose(): Promise<void> {
    runs.push(String(context().user?.id))
  }

  @asyncTask()
  async tell(length: number): Promise<void> {
    runs.push(String(length))
  }

  @asyncTask({ result: true })
  async count(text: string): Promise<number> {
    return text.length
  }
}
const post = new Post()

describePostgres('A call made within a transaction of the application', function () {
  this.timeout(120_000)
  const scope = eachScope()
  let database: TestDatabase
  let client: pg.PoolClient

  async function given() {
    runs.length = 0
    database = await freshDatabase(scope())
    const app = await openTransactionalApp(scope(), database.url)
    await app.relay()
    client = await database.pool().connect()
    scope().defer(() => client.release(true))
    await client.query('BEGIN')
    return app
  }
  const kept = async (): Promise<number> => (await database.rows('SELECT 1 FROM errand.errand_outbox')).length
  const allSent = (count: number): Promise<unknown> => until(`${count} runs`, async () => runs.length >= count && (await kept()) === 0)

  it('is sent when that commits, not before, as its caller, with a handle that answers the result', async () => {
    const app = await given()

    const handle = await withContext({ user: { id: 'ada' } }, () => background(post, { within: client }).count('four'))

    expect(handle.id).to.match(/^[\da-f-]{36}$/)
    expect(app.published).to.deep.equal([])
    await client.query('COMMIT')
    expect(await handle.result()).to.equal(4)
    expect(app.published.map(({ id }) => id)).to.deep.equal([handle.id])
  })

  it('is never sent when that is rolled back, while the next one is', async () => {
    const app = await given()
    await withTransaction(client, () => post.send('rolled back'))
    await client.query('ROLLBACK')
    await client.query('BEGIN')
    await enqueue(() => post.send('committed'), { within: client })
    await client.query('COMMIT')

    await allSent(1)

    expect(runs).to.deep.equal(['committed'])
    expect(app.published).to.have.length(1)
  })

  it('goes with the savepoint in which it was made', async () => {
    await given()
    await withTransaction(client, async () => {
      await post.send('first')
      await client.query('SAVEPOINT inner_part')
      await post.send('given up')
      await client.query('ROLLBACK TO inner_part')
      await post.send('last')
    })
    await client.query('COMMIT')

    await allSent(2)

    expect(runs).to.deep.equal(['first', 'last'])
  })

  it('keeps its place among those of its transaction, also when hundreds are made at once and two relays look on', async () => {
    const app = await given()
    await app.relay()
    const texts = Array.from({ length: 300 }, (_, index) => `no. ${index}`)
    await withTransaction(client, () => Promise.all(texts.map((text) => post.send(text))))
    const other = await database.pool().connect()
    scope().defer(() => other.release(true))
    await other.query('BEGIN')
    await withTransaction(other, () => post.send('of another'))
    await Promise.all([client.query('COMMIT'), other.query('COMMIT')])

    await allSent(301)

    expect(runs.filter((text) => text !== 'of another')).to.deep.equal(texts)
  })

  it('keeps queue, priority and the moment when it is due', async () => {
    const app = await given()
    await background(post, { within: client, delay: '1h', priority: 7, queue: 'later' }).send('x')
    await client.query('COMMIT')

    await until('the message', () => app.published.length > 0)

    expect(app.published[0]).to.include({ queue: 'later', priority: 7 })
    expect(app.published[0]?.delayMs).to.be.within(3_500_000, 3_600_000)
  })

  it('is sent within a transaction of knex as well, and not when that is rolled back', async () => {
    const app = await given()
    const knex = knexOf({ client: 'pg', connection: database.url, pool: { min: 0, max: 2 } })
    scope().defer(() => knex.destroy())

    await knex.transaction(async (within) => {
      await background(post, { within }).send('first')
      await withTransaction(within, () => background(post, { delay: '1ms' }).send('second'))
    })
    const failed = knex.transaction(async (within) => {
      await withTransaction(within, () => post.send('never'))
      throw new Error('changed my mind')
    })
    await failed.catch(() => {})

    await allSent(2)
    expect(runs).to.have.members(['first', 'second'])
    expect(app.published).to.have.length(2)
  })

  it('carries who asked, also where that changes inside of the transaction', async () => {
    await given()

    await withContext({ user: { id: 'ada' } }, () =>
      withTransaction(client, async () => {
        await post.whose()
        await withContext({ user: { id: 'bob' } }, () => post.whose())
      }),
    )
    expect(await kept()).to.equal(0)
    await client.query('COMMIT')

    await allSent(2)
    expect(runs).to.have.members(['ada', 'bob'])
  })

  it('can be tested with startTesting(), where idle() waits for what was committed', async () => {
    runs.length = 0
    database = await freshDatabase(scope())
    const testing = await startTesting({ database: database.url })
    scope().defer(() => testing.stop())
    client = await database.pool().connect()
    scope().defer(() => client.release(true))

    for (const end of ['ROLLBACK', 'COMMIT']) {
      await client.query('BEGIN')
      await withTransaction(client, () => post.send(end))
      await testing.idle()
      expect(testing.calls).to.deep.equal([])
      await client.query(end)
    }
    await testing.idle()

    expect(runs).to.deep.equal(['COMMIT'])
  })

  it('is known from its commit on, with its caller, its time and what follows it', async () => {
    database = await freshDatabase(scope())
    const testing = await startTesting({ database: database.url, mode: 'capture' })
    scope().defer(() => testing.stop())
    client = await database.pool().connect()
    scope().defer(() => client.release(true))
    await client.query('BEGIN')

    const handle = await withContext({ user: { id: 'ada' } }, () =>
      enqueue(() => post.count('four'), { within: client, delay: '1h', then: (length) => post.tell(length) }),
    )
    await testing.idle()
    expect((await handle.status()).state).to.equal('unknown')
    expect((await tasks.search()).tasks).to.deep.equal([])
    await client.query('COMMIT')
    await testing.idle()

    expect(await handle.status()).to.include({ state: 'scheduled', task: 'Post.count', owner: 'ada' })
    expect((await tasks.search({ parentId: handle.id })).tasks.map(({ task, state }) => [task, state])).to.deep.equal([['Post.tell', 'queued']])
  })

  it('is refused without the wait for a value, which could only come after the commit', async () => {
    await given()

    const refusal = await refusalOf(withTransaction(client, () => post.count('x')))

    expect(refusal.message).to.match(/^Cannot call Post\.count within a transaction and wait for its value/)
    await client.query('COMMIT')
    expect(await kept()).to.equal(0)
  })

  it('is refused where no transaction was begun: on a pool, or after the commit', async () => {
    const app = await given()
    await client.query('COMMIT')

    for (const within of [client, database.pool()]) {
      expect((await refusalOf(background(post, { within }).send('x'))).message).to.contain('no transaction was begun on this connection')
    }

    expect(await kept()).to.equal(0)
    expect(app.published).to.deep.equal([])
  })

  it('is refused when nobody awaited it and its transaction has ended, for its connection may serve somebody else', async () => {
    await given()
    let goOn = (): void => {}
    let late: Promise<void> = Promise.resolve()
    await withTransaction(client, async () => {
      late = new Promise<void>((resolve) => (goOn = resolve)).then(() => post.send('late'))
    })

    goOn()

    expect((await refusalOf(late)).message).to.contain('has ended')
  })

  it('is refused where the server says no, with what to do, and the transaction is the application’s to roll back', async () => {
    await given()
    await database.rows('DROP TABLE errand.errand_outbox')

    const refusal = await refusalOf(withTransaction(client, () => post.send('x')))

    expect(refusal.message).to.contain('there is no table errand.errand_outbox')
    expect(refusal.cause).to.include({ code: '42P01' })
    await client.query('ROLLBACK')
  })

  it('is refused without a configured database', async () => {
    database = await freshDatabase(scope())
    await openTransactionalApp(scope(), undefined)
    client = await database.pool().connect()
    scope().defer(() => client.release(true))
    await client.query('BEGIN')

    expect((await refusalOf(withTransaction(client, () => post.send('x')))).message).to.contain('Set "database"')
  })

  it('is refused inside enqueue(), which has an option for it, and runs at once through original()', async () => {
    await given()

    await refusalOf(enqueue(() => withTransaction(client, () => post.send('x'))))
    await withTransaction(client, () => original(post, 'send')('now'))

    expect(runs).to.deep.equal(['now'])
  })
})

async function refusalOf(call: Promise<unknown>): Promise<ErrandError> {
  const error = await call.then(
    () => expect.fail('nothing was refused'),
    // what the library rejects with
    (refusal: unknown) => refusal as ErrandError,
  )
  expect(error.code, String(error)).to.equal('TRANSACTION_INVALID')
  return error
}
