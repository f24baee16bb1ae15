import { expect } from 'chai'
import pg from 'pg'
import { newId } from '#src/core/clock.js'
import { openPostgresStore } from '#src/store/postgres/store.js'
import type { Store } from '#src/store/store.js'
import { freePort } from '../kit/free-port.js'
import { describePostgres, freshSchema, ownPostgresServer, sharedPostgresUrl } from '../kit/postgres.js'
import { eachScope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

const call = (id: string) => ({ kind: 'announced', id, task: 'Shop.buy', queue: 'q', createdAt: Date.now() }) as const

async function failureOf(operation: Promise<unknown>): Promise<Error & { code?: string }> {
  return operation.then(
    () => new Error('not refused'),
    // this library throws nothing but errors
    (error: unknown) => error as Error & { code?: string },
  )
}

describePostgres(
  'The PostgreSQL store and its server',
  function () {
    this.timeout(120_000)
    const scope = eachScope()

    for (const end of ['stop', 'kill9'] as const) {
      it(`after the server ended (${end}) and came back, what was stored is there, writing goes on, and no change is missed`, async () => {
        const server = scope().use(await ownPostgresServer())
        const open = async (): Promise<Store> => scope().use(await openPostgresStore({ url: server.url, patienceMs: 60_000 }))
        const [store, other] = [await open(), await open()]
        const told = new Set<string>()
        await store.watch('all', (id) => told.add(id))
        const before = newId()
        await store.record([call(before)])
        await until('the first change', () => told.has(before))

        await server[end]()
        const during = newId()
        // handed in while nobody answers
        const waiting = other.record([call(during)])
        const reading = store.find({ id: before })
        await server.start()

        expect((await waiting)[0]).to.deep.equal({ applied: true, state: 'queued' })
        expect(await reading).to.include({ id: before, state: 'queued' })
        await until('the change made while the watch was lost', () => told.has(during), 60_000)
        const after = newId()
        await other.record([call(after)])
        await until('a change made after', () => told.has(after))
      })
    }
  },
  { own: true },
)

describePostgres('The PostgreSQL store', function () {
  this.timeout(120_000)
  const scope = eachScope()
  let url = ''
  before(async () => {
    url = await sharedPostgresUrl()
  })

  async function sql(text: string): Promise<unknown[]> {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
      return (await client.query<Record<string, unknown>>(text)).rows
    } finally {
      await client.end()
    }
  }

  function schema(): string {
    const name = freshSchema()
    scope().defer(() => sql(`DROP SCHEMA IF EXISTS ${name} CASCADE`))
    return name
  }

  it('no server: STORE_UNREACHABLE after its patience, without the password', async () => {
    const closed = `postgres://ada:secret@127.0.0.1:${await freePort()}/shop`
    const error = await failureOf(openPostgresStore({ url: closed, patienceMs: 200 }))
    expect(error).to.have.property('code', 'STORE_UNREACHABLE')
    expect(error.message).to.include('127.0.0.1').and.not.to.include('secret')
  })

  it('a database that does not exist: STORE_REFUSED at once, with what to do', async () => {
    const missing = new URL(url)
    missing.pathname = '/nosuch'
    const error = await failureOf(openPostgresStore({ url: missing.href }))
    expect(error).to.have.property('code', 'STORE_REFUSED')
    expect(error.message).to.include('Create the database')
  })

  it('a url, schema or patience that cannot be is refused', async () => {
    const bad = [{ url: 'mysql://a' }, { url: '' }, { url, schema: 'a; DROP' }, { url, schema: 'A' }, { url, patienceMs: 0 }]
    for (const options of bad) expect(await failureOf(openPostgresStore(options))).to.have.property('code', 'OPTION_INVALID')
  })

  it('processes that open at the same moment make the tables once', async () => {
    const name = schema()
    const stores = await Promise.all(Array.from({ length: 8 }, () => openPostgresStore({ url, schema: name })))
    for (const store of stores) scope().use(store)
    const id = newId()
    await stores[0]?.record([call(id)])
    expect(await stores[7]?.find({ id })).to.include({ state: 'queued' })
  })

  it('tables of a newer release are refused', async () => {
    const name = schema()
    await (await openPostgresStore({ url, schema: name })).close()
    await sql(`UPDATE ${name}.errand_schema SET version = 99`)
    expect(await failureOf(openPostgresStore({ url, schema: name }))).to.have.property('code', 'DRIVER_UNSUPPORTED')
  })

  it('a connection that the server ends is made again, and nobody notices', async () => {
    const name = schema()
    const store = scope().use(await openPostgresStore({ url, schema: name }))
    for (let round = 0; round < 5; round++) {
      const ids = Array.from({ length: 20 }, newId)
      const writing = Promise.allSettled(ids.map((id) => store.record([call(id)])))
      await sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'errand' AND query NOT LIKE 'COMMIT%'")
      const settled = await writing
      for (const [index, id] of ids.entries()) {
        // only where the commit itself was cut off nobody can know
        if (settled[index]?.status === 'fulfilled') expect(await store.find({ id })).to.include({ state: 'queued' })
        else await store.record([call(id)])
        expect(await store.find({ id })).to.include({ state: 'queued' })
      }
    }
  })

  it('namespaces are apart: ids, keys, searches and watches', async () => {
    const name = schema()
    const open = async (namespace: string): Promise<Store> => scope().use(await openPostgresStore({ url, schema: name, namespace }))
    const [one, two] = [await open('one'), await open('two')]
    const told: string[] = []
    await two.watch('all', (id) => told.push(id))
    const [id, own] = [newId(), newId()]
    await one.record([{ ...call(id), key: 'k' }])
    await two.record([call(own)])
    await until('its own change', () => told.includes(own))
    expect(told).to.deep.equal([own])
    expect(await two.find({ key: 'k' })).to.equal(undefined)
    expect((await two.search({})).records.map((record) => record.id)).to.deep.equal([own])
  })

  it('two processes that write the same tasks crosswise neither block each other nor lose a change', async () => {
    const name = schema()
    const [one, two] = await Promise.all([1, 2].map(async () => scope().use(await openPostgresStore({ url, schema: name }))))
    const ids = Array.from({ length: 100 }, newId)
    const run = { attempt: 1, startedAt: 1, worker: { host: 'h', pid: 1 } }
    const started = ids.map((id) => ({ kind: 'started', id, at: 1, run }) as const)
    await Promise.all([
      one?.record(ids.map(call)),
      two?.record([...started].reverse()),
      ...ids.map((id) => two?.record([call(id)])),
      ...started.map((change) => one?.record([change])),
    ])
    for (const id of ids) {
      const record = await one?.find({ id })
      expect(record).to.include({ state: 'running', task: 'Shop.buy' })
      expect(record?.runs).to.have.lengthOf(1)
    }
  })
})
