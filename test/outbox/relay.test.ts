import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import type pg from 'pg'
import type { Broker } from '#src/broker/broker.js'
import { openMemoryBroker } from '#src/broker/memory/broker.js'
import { openSqliteBroker } from '#src/broker/sqlite/open.js'
import { systemClock } from '#src/core/clock.js'
import { silentLogger, type Logger } from '#src/core/logger.js'
import { ErrandError } from '#src/errors.js'
import { createKeeper } from '#src/outbox/keep.js'
import { OUTBOX_SQL } from '#src/outbox/schema.js'
import { openRelay, type Relay } from '#src/outbox/relay.js'
import { FakeClock } from '../kit/fake-clock.js'
import { describePostgres, ownPostgresServer } from '../kit/postgres.js'
import { freshDatabase, type TestDatabase } from '../kit/postgres-database.js'
import { startProgram, type Program } from '../kit/process.js'
import { keptLog } from '../kit/rabbit-case.js'
import type { RelayOrder } from '../kit/relay-process-main.js'
import { eachScope, type Scope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

const NAMESPACE = 'shop:test'

describePostgres('What committed transactions left in the table', function () {
  this.timeout(120_000)
  const scope = eachScope()

  for (const stopAt of ['committed', 'published'] as const) {
    it(`is sent by another process when one is killed after it was ${stopAt}, ${stopAt === 'committed' ? 'once' : 'twice with one id'}`, async () => {
      const { database, commit, kept } = await given(scope())
      const file = scope().file('queue.sqlite')
      const broker = scope().use(await openSqliteBroker({ file }))
      await commit(['the one'])
      const victim = relayProcess(scope(), { url: database.url, file, namespace: NAMESPACE, stopAt })
      await victim.line(/the one$/)

      victim.kill('SIGKILL')
      await victim.exited

      const before = stopAt === 'committed' ? [] : ['the one']
      expect(await idsIn(broker)).to.deep.equal(before)
      expect(await kept()).to.deep.equal(['the one'])
      await openHere(scope(), database.url, broker)
      await until('an empty table', async () => (await kept()).length === 0)
      expect(await idsIn(broker)).to.deep.equal([...before, 'the one'])
    })
  }

  it('is sent by the process that is left when the one that has the turn is killed, without anything new being committed', async () => {
    const { database, commit, kept } = await given(scope())
    const [file, broker] = [scope().file('queue.sqlite'), scope().use(openMemoryBroker())]
    await commit(['the one'])
    const victim = relayProcess(scope(), { url: database.url, file, namespace: NAMESPACE, stopAt: 'committed' })
    await victim.line(/the one$/)
    await openHere(scope(), database.url, broker)

    victim.kill('SIGKILL')

    await until('an empty table', async () => (await kept()).length === 0)
    expect(await idsIn(broker)).to.deep.equal(['the one'])
  })

  it('stays while the broker does not take it, holds up its own queue only, and is sent in its order later', async () => {
    const { database, commit, kept } = await given(scope())
    const memory = scope().use(openMemoryBroker())
    let isFull = true
    const publish: Broker['publish'] = async (message) => {
      if (isFull && message.queue === 'full') throw new ErrandError('QUEUE_FULL', 'The queue is full.')
      await memory.publish(message)
    }
    // the relay uses nothing else of a broker
    await openHere(scope(), database.url, { publish } as Broker)

    await commit(Array.from({ length: 60 }, (_, index) => `full ${index}`), 'full')
    await commit(['other'])
    await until('the other queue', async () => (await memory.count('work')).waiting === 1)
    isFull = false

    await commit(['full 60'], 'full')
    await until('an empty table', async () => (await kept()).length === 0)
    expect(await idsIn(memory, 'full')).to.deep.equal(Array.from({ length: 61 }, (_, index) => `full ${index}`))
  })

  it('is told of once for many attempts while the broker does not take it, and when it is taken', async () => {
    const { database, commit, kept } = await given(scope())
    let attempts = 0
    let isAway = true
    const publish: Broker['publish'] = async () => {
      attempts += 1
      if (isAway) throw new ErrandError('BROKER_UNREACHABLE', 'Away by the test.')
    }
    const { log, lines } = keptLog()
    const clock = new FakeClock()
    const options = { url: database.url, shownUrl: 'postgres://test', namespace: NAMESPACE, broker: { publish } as Broker, clock, log } // it uses nothing else of it
    const relay = await openRelay(options)
    scope().defer(() => relay.close())

    await commit(['the one'])
    for (let look = 0; look < 5; look++) await relay.flush()
    const whileAway = lines.filter((line) => line.includes('stays in'))
    isAway = false
    await relay.flush()

    expect(attempts).to.be.above(3)
    expect(whileAway).to.have.length(1)
    expect(await kept()).to.deep.equal([])
    expect(lines.at(-1)).to.match(/leave errand\.\w+ again, after \d+ attempts in vain in 0 s\.$/)
  })

  it('stays when the process stops while the broker does not answer, which holds up the stop for a moment only', async () => {
    const { database, commit, kept } = await given(scope())
    let asked = (): void => {}
    const publishing = new Promise<void>((resolve) => (asked = resolve))
    // the relay uses nothing else of a broker
    const deaf = { publish: () => new Promise<void>(() => asked()) } as unknown as Broker
    const relay = await openHere(scope(), database.url, deaf)
    await commit(['the one'])
    await publishing

    await relay.close()

    expect(await kept()).to.deep.equal(['the one'])
    const broker = scope().use(openMemoryBroker())
    await openHere(scope(), database.url, broker)
    await until('the message', async () => (await idsIn(broker)).includes('the one'))
  })

  it('is left to its own service and environment', async () => {
    const { database, commit, kept } = await given(scope())
    const broker = scope().use(openMemoryBroker())
    await openHere(scope(), database.url, broker)
    await commit(['of another'], 'work', 'other:test')
    await commit(['mine'])

    await until('the own one', async () => (await idsIn(broker)).includes('mine'))

    await until('one row, once it is known that the other was sent', async () => (await kept()).length === 1)
    expect(await kept()).to.deep.equal(['of another'])
    expect(await idsIn(broker)).to.deep.equal(['mine'])
  })

  it('is sent after the server ended the connection', async () => {
    const { database, commit, kept } = await given(scope())
    const broker = scope().use(openMemoryBroker())
    await openHere(scope(), database.url, broker)
    await database.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'errand'")

    await commit(['after'])

    await until('an empty table', async () => (await kept()).length === 0)
    expect(await idsIn(broker)).to.deep.equal(['after'])
  })

  it('cannot be there where the user may not make the table; the error says what to run, and that makes it work', async () => {
    const database = await freshDatabase(scope())
    const role = `u${new URL(database.url).pathname.slice(1)}`
    await database.rows(`CREATE ROLE ${role} LOGIN`)
    scope().defer(() => database.rows(`DROP OWNED BY ${role}; DROP ROLE ${role}`))
    const url = Object.assign(new URL(database.url), { username: role }).href
    const broker = scope().use(openMemoryBroker())

    const refusal = await openHere(scope(), url, broker).then(
      () => expect.fail('it was let in'),
      // what the relay rejects with
      (error: unknown) => error as ErrandError,
    )
    expect(refusal.code).to.equal('DATABASE_REFUSED')
    expect(refusal.message).to.contain('run the SQL in docs/transactions.md')

    await openHere(scope(), database.url, broker).then((relay) => relay.close())
    await database.rows(`GRANT USAGE ON SCHEMA errand TO ${role}; GRANT SELECT, INSERT, UPDATE, DELETE ON errand.errand_outbox TO ${role}`)
    await openHere(scope(), url, broker)
  })

  it('is in the table that the page about transactions shows', () => {
    expect(readFileSync('docs/transactions.md', 'utf8')).to.contain(`\`\`\`sql\n${OUTBOX_SQL}\n\`\`\``)
  })

  it('is made once, however many processes start at the same time', async () => {
    const database = await freshDatabase(scope())
    const broker = scope().use(openMemoryBroker())

    await Promise.all(Array.from({ length: 8 }, () => openHere(scope(), database.url, broker)))

    expect(await database.rows('SELECT * FROM errand.errand_outbox')).to.deep.equal([])
  })
})

describePostgres(
  'The database of the application',
  function () {
    this.timeout(120_000)
    const scope = eachScope()

    it('may be away when a process starts, and end under it: what is committed afterwards is sent', async () => {
      const server = scope().use(await ownPostgresServer())
      await server.stop()
      const broker = scope().use(openMemoryBroker())
      const warnings: string[] = []
      await openHere(scope(), server.url, broker, { ...silentLogger, warn: (line) => void warnings.push(line) })
      expect(warnings.join()).to.contain('cannot be sent just now')

      for (const id of ['first', 'second']) {
        await server.start()
        await until('the table', () => commitAt(server.url, id))
        await until('the message', async () => (await idsIn(broker)).includes(id))
        await server.kill9()
      }
    })

    async function commitAt(url: string, id: string): Promise<boolean> {
      const { default: pgOf } = await import('pg')
      const client = new pgOf.Client({ connectionString: url })
      client.on('error', () => {})
      try {
        await client.connect()
        await client.query('BEGIN')
        await createKeeper(NAMESPACE, systemClock).keep(client, { id, queue: 'work', body: Buffer.from(id) })
        await client.query('COMMIT')
        return true
      } catch {
        return false
      } finally {
        await client.end()
      }
    }
  },
  { own: true },
)

async function given(scope: Scope) {
  const database = await freshDatabase(scope)
  // it makes the table
  await openHere(scope, database.url, scope.use(openMemoryBroker())).then((relay) => relay.close())
  const pool = database.pool()
  const commit = async (ids: readonly string[], queue = 'work', namespace = NAMESPACE): Promise<void> => {
    const client = await pool.connect()
    try {
      await committed(client, ids, { queue, namespace })
    } finally {
      client.release()
    }
  }
  return { database, commit, kept: () => keptIn(database) }
}

async function committed(client: pg.PoolClient, ids: readonly string[], to: { readonly queue: string; readonly namespace: string }) {
  const keeper = createKeeper(to.namespace, systemClock)
  await client.query('BEGIN')
  for (const id of ids) await keeper.keep(client, { id, queue: to.queue, body: Buffer.from(id) })
  await client.query('COMMIT')
}

async function keptIn(database: TestDatabase): Promise<readonly string[]> {
  const rows = await database.rows<{ id: string }>('SELECT id FROM errand.errand_outbox ORDER BY seq')
  return rows.map(({ id }) => id)
}

async function openHere(scope: Scope, url: string, broker: Broker, log: Logger = silentLogger): Promise<Relay> {
  const relay = await openRelay({ url, shownUrl: 'postgres://test', namespace: NAMESPACE, broker, clock: systemClock, log })
  scope.defer(() => relay.close())
  return relay
}

async function idsIn(broker: Broker, queue = 'work'): Promise<readonly string[]> {
  const ids: string[] = []
  await broker.browse(queue, ({ id }) => {
    ids.push(id)
    return { kind: 'keep' }
  })
  return ids
}

function relayProcess(scope: Scope, order: RelayOrder): Program {
  return startProgram(scope, new URL('../kit/relay-process-main.js', import.meta.url), { args: [JSON.stringify(order)] })
}
