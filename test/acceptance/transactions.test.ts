import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import type { ConfigInput } from 'errand'
import { describePostgres } from '../kit/postgres.js'
import { freshDatabase, type TestDatabase } from '../kit/postgres-database.js'
import { startProgram, type Program } from '../kit/process.js'
import { describeRabbit, freshNamespace, sharedRabbitNode } from '../kit/rabbitmq.js'
import { eachScope, type Scope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

const TABLES = `
  CREATE TABLE line (text text, attempt int);
  CREATE TABLE said (text text, pid int);
  CREATE TABLE orders (id int)`

describePostgres('Transactions of an application with a server and a worker', function () {
  this.timeout(120_000)
  const scope = eachScope()

  it('kill -9 in the middle of a task leaves nothing committed, and the next run commits', async () => {
    const { database, server } = await application(scope(), {})
    server({ books: ['rent'] })
    const [first] = await until('the first run', async () => someOf(await database.rows<{ pid: number }>("SELECT pid FROM said WHERE text = 'rent 1'")))
    expect(await database.rows('SELECT * FROM line')).to.deep.equal([])

    process.kill(first?.pid ?? 0, 'SIGKILL')

    await until('the second run', async () => (await database.rows('SELECT * FROM line')).length > 0, 60_000)
    expect(await database.rows('SELECT * FROM line')).to.deep.equal([{ text: 'rent', attempt: 2 }])
  })

  it('a task in a thread calls within its own transaction: the call is sent with the commit only', async () => {
    const { database, server } = await application(scope(), {})
    server({ passes: ['on'] })

    await until('the call', async () => (await database.rows('SELECT * FROM line')).length > 0, 60_000)

    expect(await database.rows('SELECT * FROM line')).to.deep.equal([{ text: 'on COMMIT', attempt: 1 }])
  })

  it('start() rejects with DATABASE_REFUSED where the database does not let it in, without the password', async () => {
    const { database, server } = await application(scope(), {})
    const nowhere = Object.assign(new URL(database.url), { pathname: '/nowhere', password: 'hunter2' }).href

    const program = server({ options: { withAsync: true, dataDir: scope().file('data'), service: 'shop', database: nowhere } })

    await program.line(/DATABASE_REFUSED/)
    expect((await program.exited).code).to.equal(1)
    expect(program.output).to.contain('/nowhere').and.not.to.contain('hunter2')
  })

  itSendsWhatWasCommitted(scope, 'the embedded queue', async () => ({}))
})

describeRabbit('Transactions of an application on RabbitMQ', function () {
  describePostgres('and PostgreSQL', function () {
    this.timeout(120_000)
    const scope = eachScope()

    itSendsWhatWasCommitted(scope, 'RabbitMQ', async () => ({ broker: (await sharedRabbitNode()).url }))
  })
})

function itSendsWhatWasCommitted(scope: () => Scope, where: string, config: () => Promise<ConfigInput>): void {
  it(`every committed order has its call, on ${where}, also when the server is killed in between, and no other`, async () => {
    const { database, server } = await application(scope(), await config())
    const first = server({ orders: 1000 })
    await first.line(/^placed 50$/)
    first.kill('SIGKILL')
    await first.exited

    const second = server({ orders: 30 })
    await second.line(/^sent$/)

    const { id: last } = (await database.rows<{ id: number }>('SELECT max(id) AS id FROM orders'))[0] ?? { id: 0 }
    expect(last).to.be.greaterThan(48)
    const wanted = async () => (await database.rows<{ text: string }>("SELECT 'order ' || id AS text FROM orders")).map(({ text }) => text)
    const noted = async () => (await database.rows<{ text: string }>('SELECT text FROM line')).map(({ text }) => text)
    await until('all calls', async () => new Set(await noted()).size === new Set(await wanted()).size, 60_000)
    expect(new Set(await noted())).to.deep.equal(new Set(await wanted()))
    expect(second.output).to.contain('twice 21 is 42')
    // a row goes once the broker has confirmed its message, which may have run by then
    await until('an empty table', async () => (await database.rows('SELECT * FROM errand.errand_outbox')).length === 0)
    expect(await database.rows('SELECT * FROM errand.errand_outbox')).to.deep.equal([])
  })
}

async function application(scope: Scope, config: ConfigInput) {
  const database: TestDatabase = await freshDatabase(scope)
  await database.rows(TABLES)
  const options: ConfigInput = {
    withAsync: true,
    service: freshNamespace(),
    environment: 'test',
    dataDir: scope.file('data'),
    services: fileURLToPath(new URL('../fixtures/transactions/services.js', import.meta.url)),
    database: database.url,
    key: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
    ...config,
  }
  const server = (given: object): Program =>
    startProgram(scope, new URL('../fixtures/transactions/server.js', import.meta.url), {
      args: [JSON.stringify({ options, ...given })],
      env: { TEST_DATABASE: database.url },
      ownGroup: true,
    })
  return { database, server }
}

const someOf = <T>(rows: readonly T[]): readonly T[] | false => rows.length > 0 && rows
