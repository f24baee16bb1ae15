import { expect } from 'chai'
import pg from 'pg'
import { newTaskId } from '#src/core/clock.js'
import type { Client } from '#src/store/postgres/client.js'
import { Rows, type Row } from '#src/store/postgres/rows.js'
import { openPostgresStore } from '#src/store/postgres/store.js'
import { describePostgres, freshSchema, sharedPostgresUrl } from '../kit/postgres.js'
import { eachScope } from '../kit/temporary.js'

const THERE = 5_000

interface Plan {
  readonly 'Relation Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly Plans?: readonly Plan[]
}

/** Rows of the table of tasks that a plan has looked at. */
function looked(plan: Plan): number {
  const { 'Actual Rows': kept, 'Actual Loops': loops, 'Rows Removed by Filter': passed = 0, Plans: parts = [] } = plan
  const own = plan['Relation Name'] === 'task' && parts.length === 0 ? (kept + passed) * loops : 0
  return own + parts.reduce((sum, part) => sum + looked(part), 0)
}

describePostgres('Statements of the PostgreSQL store, on a table of 5,000 rows that was never analysed', function () {
  this.timeout(120_000)
  const scope = eachScope()

  /** The table, the ids in it, and what the last statement looked at. */
  async function table() {
    const [url, schema] = [await sharedPostgresUrl(), freshSchema()]
    const store = scope().use(await openPostgresStore({ url, schema }))
    const sql = new pg.Client({ connectionString: url })
    await sql.connect()
    scope().defer(() => sql.end())
    scope().defer(() => sql.query(`DROP SCHEMA ${schema} CASCADE`))
    await sql.query(`ALTER TABLE ${schema}.task SET (autovacuum_enabled = off)`)
    const ids = Array.from({ length: THERE }, newTaskId)
    await store.record(ids.map((id) => ({ kind: 'announced', id, task: 'Shop.buy', queue: 'q', createdAt: 1 })))
    let touched = -1
    const explain: Client['query'] = async (text, values = []) => {
      const { rows } = await sql.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(`EXPLAIN (ANALYZE, FORMAT JSON) ${text}`, [...values])
      const plan = rows[0]?.['QUERY PLAN'][0].Plan
      touched = plan === undefined ? -1 : looked(plan)
      return { rows: [] }
    }
    const place = { schema, namespace: '', channel: 'c', now: () => 1 }
    const client = (query: Client['query']): Client => ({ query, again: query, end: () => Promise.resolve() })
    const plain = new Rows(client((text, values = []) => sql.query(text, [...values])), place)
    return { ids, plain, explained: new Rows(client(explain), place), touched: () => touched }
  }

  for (const count of [1, 200]) {
    it(`reading, locking and writing ${count} of them looks at no others`, async () => {
      const { ids, plain, explained, touched } = await table()
      const some = ids.slice(-count)
      const rows: readonly Row[] = [...(await plain.read(some, { lock: false })).values()]
      expect(rows).to.have.lengthOf(count)

      for (const lock of [false, true]) {
        await explained.read(some, { lock })
        expect(touched()).to.equal(count)
      }
      await explained.move(rows.map((row) => ({ ...row, was: row.record })))
      expect(touched()).to.equal(count)
    })
  }
})
