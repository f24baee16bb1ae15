import { expect } from 'chai'
import { all, chain, enqueue, withTransaction } from 'errand'
import { startTesting } from 'errand/testing'
import { describePostgres } from '../kit/postgres.js'
import { freshDatabase } from '../kit/postgres-database.js'
import { eachScope } from '../kit/temporary.js'
import { office } from './office.js'

describePostgres('Tasks one after the other, within a transaction of the application', function () {
  this.timeout(120_000)
  const scope = eachScope()

  async function given() {
    office.seen.length = 0
    const database = await freshDatabase(scope())
    const testing = await startTesting({ instances: [office], database: database.url })
    scope().defer(() => testing.stop())
    const client = await database.pool().connect()
    scope().defer(() => client.release(true))
    await client.query('BEGIN')
    return { client, testing }
  }

  it('are sent with the first, when that commits', async () => {
    const { client, testing } = await given()
    const last = await withTransaction(client, () => chain(() => office.double(1), (two) => office.double(two)))
    await enqueue(() => office.double(10), { within: client, then: (twenty) => office.tell(twenty) })
    expect(office.seen).to.deep.equal([])
    await client.query('COMMIT')

    expect(await last.result()).to.equal(4)
    await testing.idle()
    expect(office.seen.map(({ task, given: value }) => `${task} ${String(value)}`).toSorted()).to.deep.equal(['double 1', 'double 10', 'double 2', 'tell 20'])
  })

  it('follow a group whose members were sent with it', async () => {
    const { client } = await given()
    const total = await withTransaction(client, () => all([() => office.double(1), () => office.double(2), () => office.double(3)], (counts) => office.sum(counts)))
    await client.query('COMMIT')

    expect(await total.result()).to.equal(12)
    expect(office.tasks().filter((task) => task === 'sum')).to.have.length(1)
  })

  it('are never sent when it is rolled back', async () => {
    const { client, testing } = await given()
    await withTransaction(client, () => chain(() => office.double(1), (two) => office.double(two)))
    await withTransaction(client, () => all([() => office.double(1)], (counts) => office.sum(counts)))
    await client.query('ROLLBACK')
    await testing.idle()

    expect(office.seen).to.deep.equal([])
  })
})
