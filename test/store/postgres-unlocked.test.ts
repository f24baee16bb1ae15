import { expect } from 'chai'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import pg from 'pg'
import { newTaskId, systemClock, type Clock } from '#src/core/clock.js'
import { openPostgresStore } from '#src/store/postgres/store.js'
import type { Store } from '#src/store/store.js'
import { describePostgres, freshSchema, sharedPostgresUrl } from '../kit/postgres.js'
import { eachScope, type Scope } from '../kit/temporary.js'
import { until } from '../kit/until.js'

const RUN = { attempt: 1, startedAt: 1, worker: { host: 'h', pid: 1 } }
const call = (id: string) => ({ kind: 'announced', id, task: 'Shop.buy', queue: 'q', createdAt: 1 }) as const
const start = (id: string) => ({ kind: 'started', id, at: 1, run: RUN }) as const
const complete = (id: string) => ({ kind: 'completed', id, at: 2, run: RUN, result: '{}' }) as const

/** A way to the server that knows what was sent, and can lose one answer, and the connection with it. */
async function lossyWay(scope: Scope, url: string) {
  let [isToLose, sent] = [false, '']
  const open = new Set<Socket>()
  const way = createServer((client) => {
    const server = connect(Number(new URL(url).port), new URL(url).hostname)
    for (const socket of [client, server]) open.add(socket.on('error', () => {}).on('close', () => open.delete(socket)))
    client.on('data', (data) => (sent += data.toString('latin1'))).pipe(server)
    client.on('close', () => server.destroy())
    server.on('close', () => client.destroy())
    server.on('data', (data) => {
      if (!isToLose) return void client.write(data)
      isToLose = false
      client.destroy()
    })
  }).listen(0, '127.0.0.1')
  await once(way, 'listening')
  scope.defer(() => {
    for (const socket of open) socket.destroy()
    way.close()
  })
  const through = new URL(url)
  // it listens on a port
  through.port = String((way.address() as AddressInfo).port)
  return { url: through.href, sent: () => sent, loseNext: () => void (isToLose = true) }
}

describePostgres('Changes that the PostgreSQL store writes without a lock', function () {
  this.timeout(120_000)
  const scope = eachScope()
  let url = ''
  before(async () => {
    url = await sharedPostgresUrl()
  })

  async function sql(text: string): Promise<void> {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
      await client.query(text)
    } finally {
      await client.end()
    }
  }

  function schema(): string {
    const name = freshSchema()
    scope().defer(() => sql(`DROP SCHEMA IF EXISTS ${name} CASCADE`))
    return name
  }

  async function open(name: string, more: { url?: string; clock?: Clock } = {}): Promise<Store> {
    return scope().use(await openPostgresStore({ url, schema: name, ...more }))
  }

  it('a task cancelled by another process since its run began does not complete, nor does it report progress', async () => {
    const name = schema()
    const [worker, other] = [await open(name), await open(name)]
    for (const change of [complete, (id: string) => ({ kind: 'progressed', id, at: 2, run: RUN, step: 1, progress: { value: 5 } }) as const]) {
      const id = newTaskId()
      await worker.record([call(id)])
      await worker.record([start(id)])
      await other.record([{ kind: 'cancelled', id, at: 2 }])

      expect(await worker.record([change(id)])).to.deep.equal([{ applied: false, state: 'cancelled' }])
      expect(await other.find({ id })).to.include({ state: 'cancelled' })
    }
  })

  it('changes of one task that are handed in at once are applied in their order, each once', async () => {
    const store = await open(schema())
    const id = newTaskId()

    const told = await Promise.all([call(id), start(id), start(id), complete(id), complete(id)].map((change) => store.record([change])))

    expect(told.flat().map(({ applied }) => applied)).to.deep.equal([true, true, false, true, false])
  })

  it('a change whose answer was lost with the connection is found there, and answered as applied', async () => {
    const way = await lossyWay(scope(), url)
    const store = await open(schema(), { url: way.url })
    const id = newTaskId()

    for (const change of [call(id), start(id), complete(id)]) {
      way.loseNext()
      expect((await store.record([change]))[0]).to.have.property('applied', true)
    }
    expect(await store.record([complete(id)])).to.deep.equal([{ applied: false, state: 'completed' }])
    expect((await store.find({ id }))?.runs).to.have.lengthOf(1)
  })

  it('a change of which its writer told nobody, because it died, is told within a moment', async () => {
    const name = schema()
    const hasty: Clock = { now: () => systemClock.now(), after: (ms, fn) => systemClock.after(ms / 50, fn) }
    const store = await open(name, { clock: hasty })
    const [id, other] = [newTaskId(), newTaskId()]
    await store.record([call(id), call(other)])
    const told: string[] = []
    await store.watch([id], (changed) => told.push(changed))

    await sql(`UPDATE ${name}.task SET state = 'running', written = clock_timestamp() + interval '1 hour'`)
    await until('the change', () => told.length > 0)

    expect(new Set(told)).to.deep.equal(new Set([id]))
  })

  it('watchers are told behind the commit, not within it, where one commit would wait for the other', async () => {
    const way = await lossyWay(scope(), url)
    const store = await open(schema(), { url: way.url })
    const [one, two] = [newTaskId(), newTaskId()]

    const from = way.sent().length
    await store.record([call(one), call(two)])
    const under = way.sent().slice(from)
    await store.record([start(one)])
    const alone = way.sent().slice(from + under.length)

    // the channel is an argument of each notice
    const notice = /errand_[0-9a-f]{32}/
    expect(under.indexOf('COMMIT')).to.be.within(1, under.search(notice))
    expect(alone).to.match(notice).and.not.to.include('BEGIN')
  })
})
